"""Download URLs that clients signed with a bucket key: they lead into our own store."""

from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

from coverslip.service.access.principal import Principal
from coverslip.service.buckets.commands import KeyHolder, holder_of
from coverslip.service.buckets.rules import bucket_name
from coverslip.service.context import Context
from coverslip.service.s3 import queries
from coverslip.service.s3.dialect_request import DIALECT_PATH, PUBLISHED_BUCKET_HOST, bucket_and_key, parse_query
from coverslip.service.s3.errors import DialectError
from coverslip.service.s3.presented_signature import PresentedSignature, presented_in_query


async def paths_of_own_urls(
    context: Context, principal: Principal, urls: Collection[str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Which URLs open objects of the caller's bucket, expired or not.

    Returns
    -------
    paths
        For each URL that does: the path of its object in the area of inputs.
    refused
        For each that one of our keys is said to have signed and that does not: the key it names.
    """
    signed = {url: presented for url in urls if (presented := _presented(url)) is not None}
    holders = {key_id: await holder_of(context, key_id) for key_id in {one.access_key_id for one in signed.values()}}
    keys: dict[str, str] = {}
    refused: dict[str, str] = {}
    for url, presented in signed.items():
        holder = holders[presented.access_key_id]
        if holder is None:  # a key of somebody else's store
            continue
        bucket, key = _bucket_and_key(url)
        own = holder.principal.organization_id == principal.organization_id
        if own and bucket == bucket_name(principal.organization_id) and _is_signed(url, presented, holder):
            keys[url] = key
        else:
            refused[url] = key
    async with context.database.transaction(principal.scope) as connection:
        paths = await queries.paths_by_key(
            connection, organization_id=principal.organization_id, keys=frozenset(keys.values())
        )
    refused |= {url: key for url, key in keys.items() if key not in paths}
    return {url: paths[key] for url, key in keys.items() if key in paths}, refused


def _presented(url: str) -> PresentedSignature | None:
    try:
        return presented_in_query(parse_query(urlsplit(url).query.encode()))
    except (DialectError, ValueError):
        return None


def _bucket_and_key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.hostname != PUBLISHED_BUCKET_HOST:
        path = path.partition(DIALECT_PATH)[2]
    try:
        return bucket_and_key(path)
    except DialectError:
        return "", path


def _is_signed(url: str, presented: PresentedSignature, holder: KeyHolder) -> bool:
    parts = urlsplit(url)
    return presented.is_made_with(holder.secret_access_key, "GET", unquote(parts.path), {"host": parts.netloc})
