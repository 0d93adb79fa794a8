from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from ._calls import Listing
from ._errors import UnexpectedAnswerError
from ._models import Page

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection

Item = TypeVar("Item")


class Pages(Generic[Item]):
    """A list that is read page by page while it is iterated.

    Creating the list sends nothing. Each page is one call, with its own retries and timeout. Each iteration reads the
    list again.
    """

    def __init__(self, listing: Listing[Item], connection: SyncConnection) -> None:
        """Creates a list."""
        self._listing = listing
        self._connection = connection

    def page(self, cursor: str | None = None) -> Page[Item]:
        """Reads one page. The cursor is the `next_cursor` of the page before, and None reads the first page."""
        return _checked(self._connection.run(self._listing.page(cursor)), cursor)

    def all(self) -> list[Item]:
        """Reads the whole list. Use it for lists that are known to be short."""
        return list(self)

    def __iter__(self) -> Iterator[Item]:
        """Iterates over the items of all pages."""
        cursor: str | None = None
        while True:
            page = self.page(cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return


class AsyncPages(Generic[Item]):
    """A list that is read page by page while it is iterated.

    Creating the list sends nothing. Each page is one call, with its own retries and timeout. Each iteration reads the
    list again.
    """

    def __init__(self, listing: Listing[Item], connection: AsyncConnection) -> None:
        """Creates a list."""
        self._listing = listing
        self._connection = connection

    async def page(self, cursor: str | None = None) -> Page[Item]:
        """Reads one page. The cursor is the `next_cursor` of the page before, and None reads the first page."""
        return _checked(await self._connection.run(self._listing.page(cursor)), cursor)

    async def all(self) -> list[Item]:
        """Reads the whole list. Use it for lists that are known to be short."""
        return [item async for item in self]

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Iterates over the items of all pages."""
        cursor: str | None = None
        while True:
            page = await self.page(cursor)
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return


def _checked(page: Page[Item], cursor: str | None) -> Page[Item]:
    """Returns the page. Raises if its next page is itself: a reader would never reach the end."""
    if page.next_cursor is not None and page.next_cursor == cursor:
        raise UnexpectedAnswerError("The server returned the same page twice. The list is incomplete.")
    return page
