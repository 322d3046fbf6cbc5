"""Pages of a long list without counting all of it: as many rows as somebody may leaf through, and no more."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

LEAFED_THROUGH = 10_000  # rows: two hundred pages, which nobody turns; counting them takes milliseconds


class ShortCountPaginator(Paginator):
    """Counts up to LEAFED_THROUGH rows; what lies beyond is found by searching and filtering.

    Whoever acts on "all" rows of such a list has to ask `is_longer_than_counted` first: the page named fewer.
    """

    @cached_property
    def count(self) -> int:
        """The rows that the pages show."""
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[:LEAFED_THROUGH]) if isinstance(rows, QuerySet) else len(rows)


def is_longer_than_counted(rows: QuerySet[Any]) -> bool:
    """Whether there are more of these rows than a page of them says."""
    return len(rows.order_by().values_list("pk")[: LEAFED_THROUGH + 1]) > LEAFED_THROUGH
