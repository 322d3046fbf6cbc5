"""One list of services, whole: in one answer where upstream gives it, page by page where it does not."""

from catalog.sync.runs import SyncRejected
from upstream.client import Client
from upstream.protocol.wire import ServicePage


def read_whole(
    client: Client, what: str, *, category: str | None = None, subcategory: str | None = None
) -> ServicePage:
    """Return every row that matches, joined into one page; `what` names the list in words.

    Nothing says that two pages are of one moment, so whatever does not fit together is refused: a count that is not the
    `total`, a total, limit or number of pages that changed on the way, an id on two pages.
    Raises SyncRejected, UpstreamError.
    """
    first = client.services(category=category, subcategory=subcategory)
    if first.total_pages <= 1:
        _reject_incomplete(first, what)
        return first
    whole = ServicePage(list(first.services), list(first.set_aside), first.total, 1, first.total, 1)
    seen = {row.service for row in first.services}
    for number in range(2, first.total_pages + 1):
        page = client.services(page=number, limit=first.limit, category=category, subcategory=subcategory)
        position = (page.page, page.limit, page.total, page.total_pages)
        empty = not page.services and not page.set_aside
        if empty or position != (number, first.limit, first.total, first.total_pages):
            raise SyncRejected(f"The list of {what} changed while it was read: page {number} is of another list.")
        ids = {row.service for row in page.services}
        if twice := ids & seen:
            raise SyncRejected(f"The list of {what} moved while it was read: service {min(twice)} is on two pages.")
        seen |= ids
        whole.services.extend(page.services)
        whole.set_aside.extend(page.set_aside)
    _reject_incomplete(whole, what)
    return whole


def _reject_incomplete(page: ServicePage, what: str) -> None:
    count = len(page.services) + len(page.set_aside)
    if count != page.total:
        raise SyncRejected(f"The list of {what} is incomplete: {count} rows, where {page.total} are announced.")
