"""Inputs that are in our own store: recognised by their URLs, checked for the caller, held while a run is written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from coverslip.contract.runs import RunCreationRequest
from coverslip.service.access.principal import Principal
from coverslip.service.context import Context
from coverslip.service.runs.errors import RunRefused
from coverslip.service.runs.validation import Fault
from coverslip.service.s3.own_urls import paths_of_own_urls
from coverslip.service.storage import queries as objects
from coverslip.service.storage.errors import ObjectNotUsable
from coverslip.service.storage.store import Area, ObjectKey


@dataclass(frozen=True)
class OwnInputs:
    """The inputs of a request that lead into our own store.

    Attributes
    ----------
    paths
        Of their objects in the area of inputs, by URL.
    faults
        One for each that the caller may not use.
    """

    paths: Mapping[str, str]
    faults: list[Fault]


async def find_own_inputs(
    context: Context, principal: Principal, request: RunCreationRequest, *, most: int
) -> OwnInputs:
    """Those inputs of a request whose URLs our store signed, or somebody with a key of the organization's bucket.

    Nothing is looked up for a request that has more than ``most`` inputs, the most that a run may have: it is refused
    for that.
    """
    urls = _places(request).keys()
    if len(urls) > most:
        return OwnInputs({}, [])
    keys = {url: key for url in urls if (key := context.store.owned_key(url)) is not None}
    in_bucket, refused = await paths_of_own_urls(context, principal, urls - keys.keys())
    keys |= {url: ObjectKey(Area.INPUTS, path) for url, path in in_bucket.items()}
    async with context.database.transaction(principal.scope) as connection:
        usable = await objects.paths_of_organization(
            connection,
            organization_id=principal.organization_id,
            paths={key.path for key in keys.values() if key.area is Area.INPUTS},
        )
    stats = await asyncio.gather(*(context.store.stat(key) for key in keys.values()))
    unusable = dict(refused) | {
        url: key.path
        for (url, key), stat in zip(keys.items(), stats, strict=True)
        if key.area is not Area.INPUTS or key.path not in usable or stat is None
    }
    return OwnInputs({url: key.path for url, key in keys.items()}, _faults(request, unusable))


async def hold_own_inputs(
    connection: AsyncConnection, principal: Principal, request: RunCreationRequest, own: OwnInputs
) -> None:
    """Keep the objects as they are until the transaction has written the run that needs them.

    Raises
    ------
    RunRefused
        If one was deleted or replaced since it was checked.
    """
    held = await objects.hold_objects(
        connection, organization_id=principal.organization_id, paths=frozenset(own.paths.values())
    )
    gone = {url: path for url, path in own.paths.items() if path not in held}
    if gone:
        raise RunRefused(_faults(request, gone))


def _places(request: RunCreationRequest) -> dict[str, tuple[str | int, ...]]:
    return {
        artifact.download_url: ("body", "items", i, "input_artifacts", j, "download_url")
        for i, item in enumerate(request.items)
        for j, artifact in enumerate(item.input_artifacts)
    }


def _faults(request: RunCreationRequest, unusable: Mapping[str, str]) -> list[Fault]:
    places = _places(request)
    return [Fault(places[url], ObjectNotUsable.code, str(ObjectNotUsable(path=name))) for url, name in unusable.items()]
