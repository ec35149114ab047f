"""ListObjectsV2: pages of keys, rolled up at a delimiter."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from coverslip.service.database.rows import AnyRow
from coverslip.service.s3.errors import ArgumentInvalid, OperationUnsupported
from coverslip.service.s3.presented_signature import Query

MAX_KEYS = 1000

_LAST_CHARACTER = 0x10FFFF
_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF


@dataclass(frozen=True)
class ListRequest:
    """What is to be listed.

    Attributes
    ----------
    after
        The key or common prefix behind which the page begins.
    """

    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    max_keys: int = MAX_KEYS
    url_encoding: bool = False
    start_after: str = ""
    token: str = ""


@dataclass(frozen=True)
class ListPage:
    """A page: objects and common prefixes together in the order of keys."""

    entries: Sequence[AnyRow | str]
    truncated: bool

    @property
    def last(self) -> str:
        """The key or common prefix that the page ends with."""
        return _name(self.entries[-1])


FetchKeys = Callable[[str, str, int], Awaitable[Sequence[AnyRow]]]
"""The next rows behind one key and not before another, at most so many."""


def list_request(query: Query) -> ListRequest:
    """What a query asks for.

    Raises
    ------
    OperationUnsupported
        If it asks for version 1 of lists.
    ArgumentInvalid
    """
    given = dict(query)
    if given.get("list-type") != "2":
        raise OperationUnsupported(operation="lists of version 1; ask for ListObjectsV2")
    if given.get("encoding-type", "url") != "url":
        raise ArgumentInvalid(fault="The only encoding-type is 'url'")
    max_keys = given.get("max-keys", "") or str(MAX_KEYS)
    if not (max_keys.isascii() and max_keys.isdigit() and len(max_keys) < 10):
        raise ArgumentInvalid(fault="'max-keys' is not a number")
    token = given.get("continuation-token", "")
    start_after = given.get("start-after", "")
    return ListRequest(
        prefix=given.get("prefix", ""),
        delimiter=given.get("delimiter", ""),
        after=_read_token(token) if token else start_after,
        max_keys=min(int(max_keys), MAX_KEYS),
        url_encoding="encoding-type" in given,
        start_after=start_after,
        token=token,
    )


def token_after(name: str) -> str:
    """The continuation token of a page that ends with ``name``."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read_token(token: str) -> str:
    try:
        name = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:  # also what base64 raises
        name = ""
    if not name or "\x00" in name:
        raise ArgumentInvalid(fault="The continuation token is not one of this bucket")
    return name


async def list_page(request: ListRequest, fetch: FetchKeys) -> ListPage:
    """The page that is asked for."""
    if request.max_keys == 0:
        return ListPage([], truncated=False)
    entries: list[AnyRow | str] = []
    after, start = request.after, request.prefix
    wanted = request.max_keys + 1  # one more tells whether there is another page
    while True:
        rows = await fetch(after, start, wanted)
        for row in rows:
            after = row.key
            if row.key < start:  # in the common prefix that is listed already
                continue
            common = _common_prefix(row.key, request.prefix, request.delimiter)
            if common is None:
                entries.append(row)
            else:
                # One that the page before ended with is not listed again.
                if common > request.after and (not entries or entries[-1] != common):
                    entries.append(common)
                start = first_behind(common) or start
            if len(entries) == wanted:
                return ListPage(entries[:-1], truncated=True)
        if len(rows) < wanted:
            return ListPage(entries, truncated=False)


def _name(entry: AnyRow | str) -> str:
    return entry if isinstance(entry, str) else str(entry.key)


def _common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter:
        return None
    place = key.find(delimiter, len(prefix))
    return None if place < 0 else key[: place + len(delimiter)]


def first_behind(prefix: str) -> str | None:
    """The least text that is greater than every text that begins with ``prefix``; None if there is none.

    Python compares texts by their characters' numbers, which is the order of their UTF-8 bytes too.
    """
    while prefix:
        character = ord(prefix[-1])
        if character < _LAST_CHARACTER:
            following = character + 1
            if _FIRST_SURROGATE <= following <= _LAST_SURROGATE:
                following = _LAST_SURROGATE + 1
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return None
