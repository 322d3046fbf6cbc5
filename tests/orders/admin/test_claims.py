"""The admin's pages of reports about goods: the next deadline first, what an answer does, and that it is done once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry
from accounts.rights import FINANCE, SUPPORT
from orders.models import ClaimAnswer, GoodsClaim, Order
from tests.conftest import customer
from tests.pages import page_words
from tests.wallet.by_hand import balance

pytestmark = pytest.mark.django_db
EACH = 1_875_000
LIST = reverse("admin:orders_goodsclaim_changelist")


@pytest.fixture
def desk(sam) -> Client:
    browser = Client()
    browser.force_login(sam)
    return browser


def page_of(claim) -> str:
    return reverse("admin:orders_goodsclaim_change", args=[claim.pk])


def answer_page(claim, kind: str, *lines: int) -> str:
    chosen = "".join(f"&line={line}" for line in lines)
    return f"{reverse('admin:orders_goodsclaim_answer', args=[claim.pk])}?kind={kind}{chosen}"


def press(browser, claim, kind, *lines, text=""):
    """Look at what the answer does, and press its button; return what is said then."""
    address = answer_page(claim, kind, *lines)
    preview = browser.get(address, follow=True)
    expected = preview.context["preview"].terms.amount_micros
    answer = browser.post(address, {"text": text, "expected": expected}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def test_list_shows_a_report_as_one_row_the_next_deadline_first(desk, claim):
    claim(1, 2)
    claim(3, now=timezone.now() + timedelta(seconds=1))
    (over,) = claim(4, now=timezone.now() + timedelta(seconds=2))
    now = timezone.now()
    GoodsClaim.objects.filter(line__in=(1, 2)).update(delivered_at=now - timedelta(hours=20))
    GoodsClaim.objects.filter(pk=over.pk).update(delivered_at=now - timedelta(hours=30))

    found = desk.get(LIST)

    assert [row.line for row in found.context["cl"].result_list] == [1, 3, 4]
    words = page_words(found)
    assert "in 3 hours" in words or "in 4 hours" in words
    assert "over" in words


def test_page_shows_the_evidence_and_the_columns_without_what_they_hold(desk, claim):
    first, *_others = claim(1, 2, text="It asks for a code")

    page = desk.get(page_of(first))

    words = page_words(page)
    assert "It asks for a code" in words
    assert "Login: •••" in words or "Email: •••" in words
    assert "Complain until" in words
    for secret in ("secret-0", "secret-1", "user0@", "user1@"):
        assert secret not in page.content.decode()


def test_preview_says_whose_money_moves_and_moves_none(desk, claim, bought, ann):
    first, *_others = claim(1, 2)
    before = balance(ann)

    refund = page_words(desk.get(answer_page(first, "refunded", 1, 2)))
    replacement = page_words(desk.get(answer_page(first, "replaced", 1)))

    assert "Gets $3.75 back on their balance. They paid $18.75, got $0.00 back before" in refund
    assert "Pays the supplier $1.50." in replacement
    assert balance(ann) == before
    assert not ClaimAnswer.objects.exists()


def test_answers_settle_the_chosen_lines_once_and_are_on_the_trail(desk, claim, bought, ann):
    first, *_others = claim(1, 2, 3)
    before = balance(ann)

    assert press(desk, first, "refunded", 1) == "Answered. The customer can see it, and is told."
    assert "answered" in press(desk, first, "replaced", 2).lower()
    press(desk, first, "refused", 3, text="Works here.")
    again = desk.post(answer_page(first, "refunded", 1), {"expected": EACH}, follow=True)

    assert "already answered" in page_words(again)
    assert dict(GoodsClaim.objects.values_list("line", "state")) == {1: "refunded", 2: "replaced", 3: "refused"}
    assert balance(ann) - before == EACH
    assert Order.objects.filter(original=bought).count() == 1
    said = TrailEntry.objects.filter(target_type="orders.GoodsClaim", after__has_key="message").order_by("pk")
    assert [entry.after["message"] for entry in said] == ["refunded: [1]", "replaced: [2]", "refused: [3]"]
    assert "replaced with order" in page_words(desk.get(page_of(first)))


@pytest.mark.parametrize("typed", ["", "x", "-5", "1", "9" * 30])
def test_answer_that_was_shown_as_something_else_is_refused(desk, claim, ann, typed):
    (first,) = claim(1)
    before = balance(ann)

    page = desk.post(answer_page(first, "refunded", 1), {"expected": typed, "text": "my words"})

    assert "has changed meanwhile" in page_words(page)
    assert "my words" in page.content.decode()
    assert balance(ann) == before


def test_refusal_without_a_reason_comes_back_with_words(desk, claim):
    (first,) = claim(1)

    page = desk.post(answer_page(first, "refused", 1), {"expected": 0, "text": " "})

    assert "Say why: the customer reads it." in page_words(page)
    assert GoodsClaim.objects.get().state == "waiting"


@pytest.mark.parametrize("query", ["?kind=refunded", "?kind=refunded&line=x", "?kind=refunded&line=9"])
def test_answer_for_no_line_leads_back_with_words(desk, claim, query):
    (first,) = claim(1)

    page = desk.get(reverse("admin:orders_goodsclaim_answer", args=[first.pk]) + query, follow=True)

    assert "Choose at least one line." in page_words(page)


def test_more_than_one_may_move_waits_and_its_request_leads_here(desk, claim, ann, tom, settings):
    settings.ADJUST_APPROVAL_MICROS = EACH - 1
    (first,) = claim(1)
    before = balance(ann)

    assert "Has to agree" in page_words(desk.get(answer_page(first, "refunded", 1)))
    said = press(desk, first, "refunded", 1)
    other = Client()
    other.force_login(tom)
    asked = ClaimAnswer.objects.get().request
    request_page = other.get(reverse("admin:wallet_moneyrequest_change", args=[asked.pk])).content.decode()

    assert "tom@example.com" in said
    assert "waits for a second person" in page_words(desk.get(page_of(first)))
    assert page_of(first) in request_page
    assert balance(ann) == before


@pytest.mark.parametrize(
    ("role", "kinds"),
    [(SUPPORT, {"refused": 200, "refunded": 403, "replaced": 403}), (FINANCE, {"refused": 200, "refunded": 200})],
)
def test_support_refuses_and_finance_gives_back(claim, role, kinds):
    (first,) = claim(1)
    staff = customer("kit@example.com", is_staff=True)
    staff.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(staff)

    assert {kind: browser.get(answer_page(first, kind, 1)).status_code for kind in kinds} == kinds


def test_pages_of_many_lines_ask_no_more_than_those_of_one(desk, claim, django_assert_max_num_queries):
    (one,) = claim(1)
    several = claim(2, 3, 4, 5, 6, now=timezone.now() + timedelta(seconds=1))
    desk.get(page_of(one))
    with CaptureQueriesContext(connection) as alone:
        desk.get(page_of(one))

    with django_assert_max_num_queries(len(alone)):
        desk.get(page_of(several[0]))


def test_list_says_each_report_in_a_line_however_long_its_service_is_called(desk, claim, bought):
    Order.objects.filter(pk=bought.pk).update(title="Fresh accounts " * 10)
    claim(1)

    shown = desk.get(LIST).content.decode().replace("\N{NO-BREAK SPACE}", "_")

    assert "_Fresh_accounts" in shown
    assert "…" in shown
    assert "Fresh accounts" not in shown  # nothing in it that a narrow column would break at
