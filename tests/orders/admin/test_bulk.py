"""Something done to many orders: shown first with how many and how much, done by a worker, and said what was left."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.rights import CATALOG
from jobs.models import StaffJob
from jobs.run import run_jobs
from orders.accounting.audit import audit
from orders.admin import bulk
from orders.admin.bulk_kinds import ACTS, seen_of
from orders.models import HoldReason, Order, OrderEvent, Status
from tests.orders.attention import Flag, flag, flags_of, make_lost
from tests.orders.couponing import balance
from tests.pages import page_words
from tests.security.staff import at_the_admin, in_role
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations import credit

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
LIST = "admin:orders_order_changelist"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def choose(desk: Client, act: str, *orders: Order, **fields: Any) -> Any:
    """Press an action of the list; return the page that shows what it would do."""
    chosen = {"action": act, "_selected_action": [order.pk for order in orders], **fields}
    return desk.post(reverse(LIST), chosen)


def confirm(desk: Client, act: str, page: Any, **fields: Any) -> StaffJob:
    """Press the button of that page, and let a worker do it."""
    form = page.context["form"]
    typed = {"rows": form["rows"].value(), "back": form["back"].value() or "", **fields}
    answer = desk.post(reverse("admin:orders_order_bulk", args=[act]), typed)
    job = StaffJob.objects.get()
    assert answer["Location"] == reverse("admin:jobs_staffjob_change", args=[job.pk])
    run_jobs(clock=timezone.now, seconds=30)
    job.refresh_from_db()
    return job


def work(order: Order, **fields: Any) -> Order:
    """Let upstream work on an order."""
    values = {"status": Status.IN_PROGRESS, "upstream_id": f"7{order.pk}", **fields}
    Order.objects.filter(pk=order.pk).update(**values)
    order.refresh_from_db()
    return order


def test_refund_says_how_many_and_how_much_and_each_order_gets_what_fits_it(
    desk: Client, place: Callable[..., Order], ann: User
) -> None:
    before = balance(ann)
    lost, held, at_work, sent_now = place(), place(), place(), place()
    make_lost(lost)
    Order.objects.filter(pk=held.pk).update(held_because=HoldReason.STAFF, held_details={"note": "x"})
    work(at_work, refunded_micros=0)

    page = choose(desk, "refund", lost, held, at_work, sent_now)

    words = page_words(page)
    assert "3 orders of 1 customer." in words
    assert "Customers get $5.625 back in all." in words
    assert "1 order that you chose doesn't fit as it stands" in words
    assert StaffJob.objects.count() == 0
    job = confirm(desk, "refund", page, note="They were slow.")
    assert (job.state, job.changed, job.problem_count) == (StaffJob.State.DONE, 3, 0)
    statuses = [Order.objects.get(pk=order.pk).status for order in (lost, held, at_work, sent_now)]
    assert statuses == [Status.FAILED, Status.FAILED, Status.IN_PROGRESS, Status.PAID]
    assert balance(ann) == before - sent_now.price_micros
    assert [found for found in audit(client=None, now=timezone.now()).problems if "refund" in found] == []


def test_what_changed_since_it_was_chosen_is_left_and_said(
    desk: Client, place: Callable[..., Order], ann: User
) -> None:
    first, second = work(place()), work(place())
    page = choose(desk, "refund", first, second)
    Order.objects.filter(pk=second.pk).update(status=Status.COMPLETED)
    before = balance(ann)

    job = confirm(desk, "refund", page, note="They were slow.")

    assert (job.changed, job.problem_count) == (1, 1)
    assert balance(ann) - before == first.price_micros
    problem = job.problems[0]
    assert problem["row"] == f"#{second.pk}"
    assert problem["text"] == "It has changed since you chose it; it is Completed now."
    page = page_words(desk.get(reverse("admin:jobs_staffjob_change", args=[job.pk])))
    assert "Done for 1 row." in page
    assert "1 row was left as it was." in page


def test_reason_is_kept_with_whatever_was_refunded(desk: Client, place: Callable[..., Order]) -> None:
    lost, held = place(), place()
    make_lost(lost)
    Order.objects.filter(pk=held.pk).update(held_because=HoldReason.STAFF, held_details={"note": "x"})

    confirm(desk, "refund", choose(desk, "refund", lost, held), note="The supplier is gone.")

    for order in (lost, held):
        notes = order.events.filter(code=OrderEvent.Code.NOTE).values_list("evidence__note", flat=True)
        assert list(notes) == ["The supplier is gone."]
    assert set(MoneyRequest.objects.values_list("note", flat=True)) == {"The supplier is gone."}


def test_orders_that_staff_holds_are_not_reviewed_away(desk: Client, place: Callable[..., Order]) -> None:
    order = place()
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.STAFF, held_details={"note": "x"})
    flag(order, Flag.HELD_BY_STAFF, note="x")

    choose(desk, "clear", order)

    assert "fits none of the chosen orders" in page_words(desk.get(reverse(LIST)))
    assert flags_of(order) == [Flag.HELD_BY_STAFF]


def test_pressing_twice_refunds_once(desk: Client, place: Callable[..., Order], ann: User) -> None:
    order = work(place())
    page = choose(desk, "refund", order)
    typed = {"rows": page.context["form"]["rows"].value(), "note": "Twice."}
    before = balance(ann)

    for _press in range(2):
        desk.post(reverse("admin:orders_order_bulk", args=["refund"]), typed)
    run_jobs(clock=timezone.now, seconds=30)

    assert StaffJob.objects.count() == 2
    assert balance(ann) - before == order.price_micros


def test_too_much_for_one_waits_order_by_order_and_the_result_says_which(
    desk: Client, place: Callable[..., Order], settings: Any, ann: User
) -> None:
    first, second = work(place()), work(place())
    settings.ADJUST_APPROVAL_MICROS = first.price_micros
    before = balance(ann)

    job = confirm(desk, "refund", choose(desk, "refund", first, second), note="Slow.")

    waiting = MoneyRequest.objects.get(state=MoneyRequest.State.WAITING)
    assert balance(ann) - before == first.price_micros
    assert [one["text"] for one in job.problems] == [f"Waits for a second person as request {waiting.pk}."]
    assert (job.changed, job.problem_count) == (2, 0)


def test_nobody_refunds_their_own_orders_in_a_crowd(
    desk: Client, place: Callable[..., Order], sam: User, ann: User
) -> None:
    credit(user=sam, amount_micros=10_000_000, kind=LedgerEntry.Kind.ADJUSTMENT, reference="gift")
    own, hers = work(place(user=sam)), work(place())

    job = confirm(desk, "refund", choose(desk, "refund", own, hers), note="For us.")

    assert (job.changed, job.problem_count) == (1, 1)
    assert Order.objects.get(pk=own.pk).refunded_micros == 0


def test_every_act_does_to_many_what_its_button_does_to_one(
    desk: Client, place: Callable[..., Order], client_upstream: Any
) -> None:
    def plain(order: Order) -> None:
        pass

    def hold(reason: str) -> Callable[[Order], None]:
        details = {"note": "x", "because": "x", "cost_micros": 2, "paid_micros": 1}
        return lambda order: (
            Order.objects.filter(pk=order.pk).update(held_because=reason, held_details=details) and None
        )

    prepared: dict[str, tuple[Callable[[Order], Any], Callable[[Order], bool]]] = {
        "ask": (
            lambda order: work(order, next_poll_at=timezone.now().replace(year=2090)),
            lambda order: order.next_poll_at.year < 2090,
        ),
        "clear": (lambda order: flag(work(order), Flag.OVERCHARGED), lambda order: flags_of(order) == []),
        "hold": (plain, lambda order: order.held_because == HoldReason.STAFF),
        "release": (hold(HoldReason.STAFF), lambda order: order.held_because == ""),
        "send": (hold(HoldReason.SERVICE_PAUSED), lambda order: order.hold_waived_at is not None),
        "resend": (make_lost, lambda order: order.status == Status.PAID),
        "refund": (work, lambda order: order.refunded_micros == order.price_micros),
        "note": (plain, lambda order: order.events.filter(code=OrderEvent.Code.NOTE).exists()),
    }
    assert set(prepared) == set(ACTS)
    for act, (prepare, is_done) in prepared.items():
        orders = [place(), place()]
        for order in orders:
            prepare(order)
        job = confirm(desk, act, choose(desk, act, *orders), note="Because.")
        assert (job.changed, job.problem_count) == (2, 0), (act, job.problems)
        assert all(is_done(Order.objects.get(pk=order.pk)) for order in orders), act
        job.delete()


@pytest.mark.parametrize("act", [name for name, act in ACTS.items() if act.note])
def test_reason_is_asked_for_before_anything_is_done(desk: Client, place: Callable[..., Order], act: str) -> None:
    order = place() if act in ("hold", "note") else work(place())
    rows = json.dumps([[order.pk, seen_of(order)]])

    page = desk.post(reverse("admin:orders_order_bulk", args=[act]), {"rows": rows, "note": " "})

    assert "This field is required." in page_words(page)
    assert StaffJob.objects.count() == 0


@pytest.mark.parametrize(
    "rows", ["", "[]", "x", "[1]", '[["a", []]]', '{"a": 1}', "null", "[[1, 2]]", "[[Infinity, []]]", "[[1, []]" + "]"]
)
def test_rows_that_are_none_are_refused_in_words(desk: Client, rows: str) -> None:
    answer = desk.post(reverse("admin:orders_order_bulk", args=["ask"]), {"rows": rows}, follow=True)

    if rows != "[[1, []]]":
        assert "Choose the orders again." in page_words(answer) or "required" in page_words(answer)
        assert StaffJob.objects.count() == 0
        return
    run_jobs(clock=timezone.now, seconds=30)
    assert StaffJob.objects.get().problem_count == 1  # there is no such order


def test_act_that_fits_none_says_so_and_too_many_are_asked_to_be_fewer(
    desk: Client, place: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [place(), place(), place()]

    page = choose(desk, "release", *orders, follow=True)
    assert page.status_code == 302
    assert "fits none of the chosen orders" in page_words(desk.get(reverse(LIST)))
    monkeypatch.setattr(bulk, "MOST", 2)
    choose(desk, "note", *orders)
    assert "Choose 2 orders at most" in page_words(desk.get(reverse(LIST)))


def test_all_that_a_filter_shows_may_be_chosen_at_once(desk: Client, place: Callable[..., Order]) -> None:
    held = [place(), place()]
    other = place()
    Order.objects.filter(pk__in=[order.pk for order in held]).update(
        held_because=HoldReason.STAFF, held_details={"note": "x"}
    )
    chosen = {"action": "release", "_selected_action": [held[0].pk], "select_across": "1"}

    page = desk.post(f"{reverse(LIST)}?work=held", chosen)
    job = confirm(desk, "release", page)

    assert job.changed == 2
    assert job.back == f"{reverse(LIST)}?work=held"
    assert other.pk not in [row[0] for row in job.rows]


def test_whoever_may_not_change_orders_sees_no_acts_and_has_none_done(place: Callable[..., Order]) -> None:
    order = place()
    keeper = in_role("cat@example.com", CATALOG)
    browser = at_the_admin(keeper)
    rows = json.dumps([[order.pk, seen_of(order)]])

    assert (
        browser.post(reverse("admin:orders_order_bulk", args=["note"]), {"rows": rows, "note": "x"}).status_code == 403
    )
    assert browser.get(reverse("admin:orders_order_bulk", args=["note"])).status_code == 403
    assert Group.objects.filter(name=CATALOG).exists()
    assert StaffJob.objects.count() == 0


def test_address_of_an_act_shows_the_list_and_of_none_nothing(desk: Client) -> None:
    assert desk.get(reverse("admin:orders_order_bulk", args=["refund"]))["Location"] == reverse(LIST)
    assert desk.post(reverse("admin:orders_order_bulk", args=["steal"])).status_code == 404
