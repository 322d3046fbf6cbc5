"""Pages of very many rows: numbered as far as counting is cheap, then from row to row, and back."""

from typing import Any

import pytest

from accounts import paging
from accounts.models import User
from accounts.paging import LongPage, open_page

pytestmark = pytest.mark.django_db
SIZE = 2


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Nine rows, the newest first, of which three pages of two are numbered."""
    monkeypatch.setattr(paging, "MAX_NUMBERED_PAGES", 3)
    made = [User.objects.create_user(f"{number}@example.com").pk for number in range(9)]
    return made[::-1]


def opened(**params: Any) -> LongPage:
    return open_page(User.objects.order_by("-id"), {name: str(value) for name, value in params.items()}, SIZE)


def walked(page: LongPage, way: str) -> list[list[int]]:
    """Return the rows of this page and of all that follow in one direction."""
    seen = [[user.pk for user in page]]
    while (step := getattr(page, way)) is not None:
        page = opened(**{name: value for name, value in step.items() if value is not None})
        seen.append([user.pk for user in page])
    return seen


def test_open_page_when_somebody_walks_to_the_end_and_back_sees_every_row_once(users: list[int]) -> None:
    pages = [users[begins : begins + SIZE] for begins in range(0, 9, SIZE)]

    assert walked(opened(), "following") == pages
    assert walked(opened(before=users[7]), "previous") == pages[::-1]


def test_open_page_when_it_is_numbered_says_so_and_counts_no_further(users: list[int]) -> None:
    last, beyond = opened(page=3), opened(before=users[5])

    assert (last.number, last.pages, last.counted) == (3, None, 7)
    assert (beyond.number, beyond.pages, [user.pk for user in beyond]) == (None, None, users[6:8])


def test_open_page_when_all_can_be_counted_knows_how_many_there_are(users: list[int]) -> None:
    User.objects.filter(pk__in=users[6:]).delete()

    page = opened(page=99)

    assert (page.number, page.pages, page.counted, page.following) == (3, 3, 6, None)
    assert page.previous == {"page": 2, "after": None, "before": None}


@pytest.mark.parametrize(
    "params", [{"page": "-1"}, {"page": "x"}, {"before": "1"}, {"after": 10**18}, {"before": "٣"}, {"page": "9" * 30}]
)
def test_open_page_when_the_address_is_nonsense_shows_the_first_page(users: list[int], params: dict[str, Any]) -> None:
    assert [user.pk for user in opened(**params)] in (users[:2], users[4:6])


def test_open_page_without_rows_is_one_empty_page(db: None) -> None:
    page = open_page(User.objects.none().order_by("-id"), {}, SIZE)

    assert (len(page), page.number, page.pages, page.previous, page.following) == (0, 1, 1, None, None)
