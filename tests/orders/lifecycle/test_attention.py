"""Flags of orders: several at once, none overwrites another, and what they say is made when it is shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.models import User
from orders.fulfilment.poll import poll_due
from orders.lifecycle.attention import attention_of, clear_attention, clear_flags, raise_flag, text_for
from orders.models import AttentionFlag, HoldReason, LostAttempt, Order, Status
from tests.clock import stopped_at
from tests.orders.attention import Flag, flag, flags_of, said_of

pytestmark = pytest.mark.django_db
DETAILS: dict[str, dict[str, Any]] = {
    Flag.PERHAPS_PLACED: {"cause": LostAttempt.Cause.UNLISTED_TEXT, "detail": "Drip feed is off"},
    Flag.REFUSED: {"answer": "Invalid action"},
    Flag.SOLD_AT_A_LOSS: {"cost_micros": 2_000_000, "paid_micros": 1_875_000},
    Flag.SERVICE_PAUSED: {"because": "under review"},
    Flag.HELD_BY_STAFF: {"note": "wrong link"},
    Flag.LATE_ANSWER: {"upstream_ids": ["8", "9"]},
    Flag.BOUGHT_TWICE: {"upstream_ids": ["9"]},
    Flag.PERHAPS_TWICE: {"upstream_ids": [8, 9]},
    Flag.NOT_FOUND: {"upstream_id": "9"},
    Flag.UNKNOWN_WORD: {"word": "On hold"},
    Flag.NO_REMAINS: {},
    Flag.WENT_BACK: {"before": Status.PARTIAL, "word": "Pending"},
    Flag.CHANGED_LATE: {"before": Status.COMPLETED, "word": "Partial"},
    Flag.MORE_THAN_ASKED: {"upstream_ids": ["8", "9"]},
    Flag.OVERCHARGED: {"other_unit_than": 1000},
    Flag.CHARGE_KEPT: {"charge": "1.50", "word": "Completed"},
    Flag.UNDERCHARGED: {},
    Flag.NO_GOODS: {"category": "Aged accounts"},
}
TEXTS = {
    Flag.PERHAPS_PLACED: "Perhaps placed upstream: unlisted error text: Drip feed is off",
    Flag.REFUSED: "Refused upstream: Invalid action",
    Flag.SOLD_AT_A_LOSS: "Sold at a loss: it costs 2.00 USD now, the customer paid 1.875",
    Flag.SERVICE_PAUSED: "The service is paused: under review",
    Flag.HELD_BY_STAFF: "Held back by staff: wrong link",
    Flag.LATE_ANSWER: "Upstream placed order 8, 9 after this order was settled",
    Flag.BOUGHT_TWICE: "Upstream has order 9 too: it had been placed before it was sent again",
    Flag.PERHAPS_TWICE: "Perhaps bought twice: upstream has 8, 9",
    Flag.NOT_FOUND: "Upstream answers “Order not found” for order 9.",
    Flag.UNKNOWN_WORD: "Unknown upstream status word: On hold",
    Flag.NO_REMAINS: "Partial, but upstream does not say how much remains",
    Flag.WENT_BACK: "Upstream went from Partial to Pending",
    Flag.CHANGED_LATE: "Changed after it was Completed: Partial",
    Flag.MORE_THAN_ASKED: "Upstream answered with more than was asked for: 8, 9",
    Flag.OVERCHARGED: ("Upstream charged more than the customer paid: the charge fits another rate unit than 1000"),
    Flag.CHARGE_KEPT: "The order is canceled and refunded, but upstream says Completed and charged 1.50",
    Flag.UNDERCHARGED: "Upstream charged far less than expected",
    Flag.NO_GOODS: (
        "Upstream has delivered, but its status brought no goods. Look into the mailbox of your account upstream, "
        "and have the category “Aged accounts” delivered by email"
    ),
}


@pytest.mark.parametrize("code", Flag, ids=lambda code: code.value)
def test_text_for_says_of_every_code_what_is_wrong(code: AttentionFlag.Code) -> None:
    with translation.override("en"):
        assert text_for(code, DETAILS[code]) == TEXTS[code]


def test_attention_of_speaks_the_language_of_whoever_reads_it(paid_order: Order) -> None:
    flag(paid_order, Flag.NOT_FOUND, upstream_id="4711")

    with translation.override("en"):
        english = said_of(paid_order)
    with translation.override("ru"):
        russian = said_of(paid_order)
        expected = gettext("Upstream answers “Order not found” for order %(id)s.") % {"id": "4711"}
    assert english == "Upstream answers “Order not found” for order 4711."
    assert russian == expected != english


def test_a_word_of_upstream_that_looks_like_a_placeholder_is_shown_as_it_is() -> None:
    assert text_for(Flag.UNKNOWN_WORD, {"word": "100%(s)"}) == "Unknown upstream status word: 100%(s)"


def test_raise_flag_when_others_are_open_leaves_them_and_their_details(paid_order: Order) -> None:
    for code in Flag:
        flag(paid_order, code, **DETAILS[code])

    assert flags_of(paid_order) == list(Flag)
    assert dict(paid_order.flags.values_list("code", "details")) == DETAILS
    with translation.override("en"):
        assert said_of(paid_order) == "; ".join(TEXTS[code] for code in Flag)


def test_raise_flag_twice_says_nothing_new_until_its_details_change(paid_order: Order) -> None:
    said = [
        raise_flag(paid_order.pk, Flag.UNKNOWN_WORD, now=timezone.now(), word=word)
        for word in ("On hold", "On hold", "Asleep", "Asleep")
    ]

    assert said == [True, False, True, False]
    assert paid_order.flags.get().details == {"word": "Asleep"}


def test_raise_flag_about_another_upstream_order_keeps_the_first_one(paid_order: Order) -> None:
    for upstream_id in ("7", "8", "7"):
        raise_flag(paid_order.pk, Flag.LATE_ANSWER, now=timezone.now(), upstream_ids=[upstream_id])

    assert paid_order.flags.get().details == {"upstream_ids": ["7", "8"]}


def test_raise_flag_after_it_was_cleared_opens_a_new_one_and_the_old_one_stays(paid_order: Order, sam: User) -> None:
    flag(paid_order, Flag.NO_REMAINS)
    clear_attention(paid_order.pk, actor=sam, now=timezone.now())

    flag(paid_order, Flag.NO_REMAINS)

    assert [flag.cleared_by for flag in paid_order.flags.order_by("pk")] == [sam, None]


def test_the_database_holds_one_open_flag_of_a_code(paid_order: Order, place: Callable[..., Order]) -> None:
    flag(paid_order, Flag.NO_REMAINS)
    AttentionFlag.objects.create(order=place(), code=Flag.NO_REMAINS)
    AttentionFlag.objects.create(order=paid_order, code=Flag.REFUSED)

    with pytest.raises(IntegrityError, match=r"one_open_flag_per_order_and_code|UNIQUE"), transaction.atomic():
        AttentionFlag.objects.create(order=paid_order, code=Flag.NO_REMAINS)


def test_the_database_refuses_an_open_flag_that_somebody_cleared(paid_order: Order, sam: User) -> None:
    with pytest.raises(IntegrityError, match=r"only_a_cleared_flag_was_cleared_by|CHECK"), transaction.atomic():
        AttentionFlag.objects.create(order=paid_order, code=Flag.NO_REMAINS, cleared_by=sam)


def test_clear_flags_of_some_codes_leaves_the_others(paid_order: Order) -> None:
    flag(paid_order, Flag.NO_REMAINS)
    flag(paid_order, Flag.REFUSED, answer="no")

    cleared = clear_flags([paid_order.pk], [Flag.REFUSED], now=timezone.now())

    assert [flag.code for flag in cleared] == [Flag.REFUSED]
    assert flags_of(paid_order) == [Flag.NO_REMAINS]
    assert paid_order.flags.get(code=Flag.REFUSED).cleared_by is None


def test_needing_attention_is_each_order_with_an_open_flag_once(
    place: Callable[..., Order], sam: User, django_assert_num_queries: Any
) -> None:
    twice, cleared, _easy = place(), place(), place()
    flag(twice, Flag.NO_REMAINS)
    flag(twice, Flag.REFUSED, answer="no")
    flag(cleared, Flag.NO_REMAINS)
    clear_attention(cleared.pk, actor=sam, now=timezone.now())

    with django_assert_num_queries(1):
        assert Order.objects.needing_attention().count() == 1
    assert list(Order.objects.needing_attention()) == [twice]


@pytest.mark.django_db(transaction=True)
def test_poll_when_two_things_are_wrong_one_after_the_other_keeps_both(
    sent_order: Order, client_upstream: Any, sandbox: Any
) -> None:
    now = timezone.now()
    for days, said in [(3, {"status": "On hold"}), (6, {"status": "Partial", "remains": None, "charge": "2.00"})]:
        sandbox.set_order(sent_order.upstream_id, **said)
        poll_due(kind="service", client=client_upstream, clock=stopped_at(now + timedelta(days=days)))

    assert flags_of(sent_order)[:1] == [Flag.UNKNOWN_WORD]
    assert Flag.OVERCHARGED in flags_of(sent_order)


def test_orders_when_filtered_by_a_code_then_those_with_it_open_are_listed_with_all_their_flags(
    client: Client, place: Callable[..., Order], sam: User, django_assert_max_num_queries: Any
) -> None:
    both, other = place(), place()
    flag(both, Flag.NO_REMAINS)
    flag(both, Flag.REFUSED, answer="Invalid action")
    flag(other, Flag.NO_REMAINS)
    client.force_login(sam)
    address = reverse("admin:orders_order_changelist")

    page = client.get(address, {"attention": "refused"})

    assert list(page.context["cl"].result_list) == [both]
    assert f"{TEXTS[Flag.NO_REMAINS]}; {TEXTS[Flag.REFUSED]}" in page.content.decode()
    assert list(client.get(address, {"attention": "yes"}).context["cl"].result_list) == [other, both]


def test_order_page_lists_the_flags_that_were_cleared_and_by_whom(client: Client, paid_order: Order, sam: User) -> None:
    flag(paid_order, Flag.REFUSED, answer="Invalid action")
    clear_attention(paid_order.pk, actor=sam, now=timezone.now())
    client.force_login(sam)

    page = client.get(reverse("admin:orders_order_change", args=[paid_order.pk])).content.decode()

    assert TEXTS[Flag.REFUSED] in page
    assert attention_of(paid_order) == ""


def test_flags_of_holds_have_a_text_for_every_reason() -> None:
    assert settings.STORE_CURRENCY in text_for(Flag.SOLD_AT_A_LOSS, DETAILS[Flag.SOLD_AT_A_LOSS])
    assert set(HoldReason.values) <= set(Flag.values)
