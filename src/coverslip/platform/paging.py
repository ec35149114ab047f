"""Lists that come in pages."""

from collections.abc import Iterator
from typing import TypeVar

from coverslip.platform.api import Api, Params
from coverslip.platform.errors import NotFound

MIN_PAGE_SIZE = 5
MAX_PAGE_SIZE = 100

Row = TypeVar("Row")


def rows(
    api: Api, kind: type[Row], path: str, params: Params | None = None, *, page_size: int, size_param: str = "page_size"
) -> Iterator[Row]:
    """The rows of a list, each page asked for when its first row is.

    The end is a page that is not full; an empty page or 404 after a full one is the same.
    """
    page = 1
    while True:
        try:
            found = api.read(list[kind], path, {**(params or {}), "page": page, size_param: page_size})  # type: ignore[valid-type]
        except NotFound:
            if page == 1:
                raise
            return
        yield from found
        if len(found) < page_size:
            return
        page += 1
