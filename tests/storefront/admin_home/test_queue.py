"""Everything that waits for a human stands in one queue until it is settled, for those who may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, SyncRun
from notifications.outbox import tell_admins
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.lifecycle.attention import clear_flags
from orders.models import (
    AttentionFlag,
    ClaimAnswer,
    ContractDrift,
    ForwardingPause,
    FoundOrder,
    GoodsClaim,
    Order,
    RestoreGap,
    ServiceRequest,
    UpstreamBalance,
)
from preferences.models import PreferenceChange
from storefront.admin_home.queue import KINDS, MOST_SHOWN
from support.models import Message, Ticket
from support.tickets.limits import CAUSED_BY_ORDERS
from tests.orders.attention import flag
from tests.security.staff import at_the_admin, in_role, with_rights
from tests.storefront.admin_rows import ask, make_order, make_rows, make_service
from wallet.models import MoneyRequest, TopUp
from wallet.operations.manual_moves import move_by_hand

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")
PRICE = 187_500
NOW = timezone.now


@pytest.fixture
def order(ann: User) -> Order:
    return make_order(ann, service=make_service(1))


def queue(client: Client) -> dict[str, Any]:
    """The queue as this person reads it once what was cached is old."""
    cache.clear()
    return client.get(HOME).context["home"]["queue"]


def said(client: Client) -> list[str]:
    return [row["line"].what for row in queue(client)["rows"]]


def ago(**spans: int) -> Any:
    return NOW() - timedelta(**spans)


# --- Each kind --------------------------------------------------------------------------------------------------------
def flag_it(order: Order) -> Order:
    flag(order, AttentionFlag.Code.REFUSED, answer="Bad link")
    return order


def request_it(order: Order) -> ServiceRequest:
    return ServiceRequest.objects.create(order=order, kind=ServiceRequest.Kind.REFILL)


def ask_about_it(order: Order) -> Ticket:
    return ask(order.user, 7, order=order)


def answer_it(order: Order) -> None:
    Ticket.objects.update(state=Ticket.State.ANSWERED, waiting_since=None)


def claim_it(order: Order) -> GoodsClaim:
    moments = {"delivered_at": NOW(), "first_opened_at": NOW(), "claimed_at": NOW()}
    claims = [
        GoodsClaim.objects.create(order=order, line=line, reason=GoodsClaim.Reason.LOCKED, **moments) for line in (1, 2)
    ]
    return claims[0]


def refuse_it(order: Order) -> None:
    by = User.objects.get(email="sam@example.com")
    answer = ClaimAnswer.objects.create(
        order=order,
        kind=ClaimAnswer.Kind.REFUSED,
        lines=[1, 2],
        answered_by=by,
        text="They work.",
        carried_out_at=NOW(),
    )
    GoodsClaim.objects.update(state=GoodsClaim.State.REFUSED, answer=answer)


def find_it(order: Order) -> FoundOrder:
    gap = RestoreGap.objects.create(kind="service", first_id=1)
    return FoundOrder.objects.create(gap=gap, kind="service", upstream_id="77", charge_upstream_micros=PRICE)


def settle_it(order: Order) -> None:
    FoundOrder.objects.update(settled_at=NOW())


def pause_it(order: Order) -> ForwardingPause:
    return pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=NOW())


def hold_a_sync(order: Order) -> SyncRun:
    return SyncRun.objects.create(kind="catalog", status="quarantined", error="half of it is gone")


def fail_a_sync(order: Order) -> SyncRun:
    return SyncRun.objects.create(kind="sms", status="failed", error="no answer")


def sync_again(order: Order) -> None:
    SyncRun.objects.create(kind="sms", status="applied")


def pay_oddly(order: Order) -> TopUp:
    amounts = {"amount_micros": 5_000_000, "pay_micros": 5_000_000}
    return TopUp.objects.create(user=order.user, gateway="manual", currency="USD", attention="Too little", **amounts)


def move_much(order: Order) -> MoneyRequest:
    clerk, _new = User.objects.get_or_create(email="till@example.com", defaults={"is_staff": True})
    move_by_hand(user=order.user, kind=MoneyRequest.Kind.ADJUSTMENT, amount_micros=900_000_000, note="a prize",
                 actor=clerk, request_id="one")  # fmt: skip
    return MoneyRequest.objects.get()


def decline_it(order: Order) -> None:
    boss = User.objects.get(email="sam@example.com")
    MoneyRequest.objects.update(state=MoneyRequest.State.DECLINED, decided_by=boss)


def say_something_strange(order: Order) -> ContractDrift:
    return ContractDrift.objects.create(subject="status_word", text="Sleeping", sample={"kind": "service"})


def spend_all(order: Order) -> None:
    UpstreamBalance.objects.create(amount_upstream_micros=1, low=True)


def pay_in(order: Order) -> None:
    UpstreamBalance.objects.create(amount_upstream_micros=10**12, low=False)


def lose_the_unit(order: Order) -> None:
    Category.objects.update(rate_confirmed_at=None)


def find_wrong_books(order: Order) -> None:
    tell_admins("audit:1", "The audit found 1 problem", "x")


def find_them_right(order: Order) -> None:
    tell_admins("audit:1:over", "The books add up again", "x")


@dataclass(frozen=True)
class Case:
    """Something that waits, what the line says, leads to and costs, and what settles it."""

    kind: str
    make: Callable[[Order], Any]
    settle: Callable[[Order], Any]
    says: str
    page: str
    micros: int = 0


CASES = [
    Case("flag", flag_it, lambda order: clear_flags([order.pk], now=NOW()), "Refused upstream", "orders_order_change",
         PRICE),
    Case("request", request_it, lambda order: ServiceRequest.objects.update(state="done"), "Refill",
         "orders_servicerequest_change", PRICE),
    Case("ticket", ask_about_it, answer_it, "Question 7", "support_ticket_change", PRICE),
    Case("claim", claim_it, refuse_it, "2 lines reported", "orders_goodsclaim_change", PRICE * 2 // 100),
    Case("found", find_it, settle_it, "Service 77: –", "orders_foundorder_change", PRICE),
    Case("pause", pause_it, lambda order: end_pause(ForwardingPause.objects.get().pk, now=NOW()), "Paused by an admin",
         "orders_forwardingpause_change", PRICE),
    Case("sync", hold_a_sync, lambda order: SyncRun.objects.update(status="dropped"), "half of it is gone",
         "catalog_syncrun_change"),
    Case("sync", fail_a_sync, sync_again, "no answer", "catalog_syncrun_change"),
    Case("payment", pay_oddly, lambda order: TopUp.objects.update(attention=""), "Too little", "wallet_topup_change",
         5_000_000),
    Case("move", move_much, decline_it, "a prize", "wallet_moneyrequest_change", 900_000_000),
    Case("drift", say_something_strange, lambda order: ContractDrift.objects.update(settled_at=NOW()), "Sleeping",
         "orders_contractdrift_change"),
    Case("balance", spend_all, pay_in, "The upstream balance doesn't cover", "orders_upstreambalance_changelist",
         PRICE),
    Case("rates", lose_the_unit, lambda order: Category.objects.update(rate_confirmed_at=NOW()),
         "1 category shows no prices", "orders_rateunitquestion_changelist"),
    Case("books", find_wrong_books, find_them_right, "the books don't add up", "orders_books_changelist"),
]  # fmt: skip
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.make.__name__)


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES} == {kind.name for kind in KINDS}


@each_case
def test_what_waits_is_a_line_with_its_money_and_the_next_step_until_it_is_settled(
    case: Case, sam: User, order: Order
) -> None:
    desk = at_the_admin(sam)
    assert said(desk) == []
    row = case.make(order)

    found = queue(desk)
    [line] = [each["line"] for each in found["rows"]]

    key = [row.pk] if case.page.endswith("_change") else []
    assert case.says in line.what
    assert line.link == reverse(f"admin:{case.page}", args=key)
    assert line.micros == case.micros
    assert [part.total for part in found["parts"]] == [1]
    assert desk.get(line.link).status_code == 200
    assert desk.get(found["parts"][0].link).status_code == 200
    markup = desk.get(HOME).content.decode()
    assert f'href="{line.link}"' in markup

    case.settle(order)
    assert said(desk) == []
    assert queue(desk)["parts"] == []


@each_case
def test_who_may_see_it_alone_sees_it_and_nobody_else(case: Case, sam: User, order: Order) -> None:
    case.make(order)
    _app, model = next(kind.model for kind in KINDS if kind.name == case.kind).split(".")
    others = [
        f"view_{name}"
        for _app, name in {tuple(kind.model.split(".")) for kind in KINDS if kind.name != case.kind}
        if name != model
    ]

    assert len(said(at_the_admin(with_rights("one@example.com", f"view_{model}")))) == 1
    assert said(at_the_admin(with_rights("other@example.com", *others))) == []


def test_who_may_see_nothing_of_it_is_shown_no_queue(order: Order) -> None:
    flag_it(order)

    page = at_the_admin(with_rights("clerk@example.com", "view_searchsynonym")).get(HOME)

    assert "Needs you" not in page.content.decode()
    assert "health" not in page.context["home"]
    assert page.context["home"]["today"] == []


def test_roles_read_what_is_theirs(order: Order) -> None:
    for case in CASES:
        case.make(order)
    titles = {
        role: {row["kind"] for row in queue(at_the_admin(in_role(f"{role}@example.com", role)))["rows"]}
        for role in ("Support", "Catalog", "Finance")
    }

    assert titles["Support"] == {"Orders", "Customer requests", "Reports about goods", "Tickets", "Payments"}
    assert titles["Catalog"] == {"Forwarding", "Contract drift", "Rate units to confirm", "Sync runs"}
    assert "Tickets" not in titles["Finance"]
    assert {"Books", "Upstream balance", "Payments", "Manual adjustments"} <= titles["Finance"]


# --- Order and length -------------------------------------------------------------------------------------------------
def test_what_stops_the_shop_comes_first_then_money_times_hours(sam: User, ann: User) -> None:
    service, desk = make_service(1), at_the_admin(sam)
    for title, dollars, hours in (("dear", 400, 2), ("old", 20, 80), ("new", 20, 2), ("cheap", 1, 80)):
        order = make_order(ann, service=service, title=title, price_micros=dollars * 1_000_000)
        flag_it(order)
        AttentionFlag.objects.filter(order=order).update(raised_at=ago(hours=hours))
    pause_forwarding(reason=ForwardingPause.Reason.ADMIN, now=NOW())

    first, *others = said(desk)

    assert "Forwarding is paused" in first
    assert [what.split()[1].strip(":") for what in others] == ["old", "dear", "cheap", "new"]


def test_what_has_no_money_is_not_forgotten(sam: User, ann: User) -> None:
    desk = at_the_admin(sam)
    flag_it(make_order(ann, service=make_service(1), price_micros=4_000_000))
    ask(ann, 1, waiting_since=ago(hours=30))

    assert "Question 1" in said(desk)[0]


def test_an_order_with_several_flags_is_one_line(sam: User, order: Order) -> None:
    flag(order, AttentionFlag.Code.REFUSED, answer="Bad link")
    flag(order, AttentionFlag.Code.OVERCHARGED)

    found = queue(at_the_admin(sam))

    [row] = found["rows"]
    assert "Refused upstream; Charged more than was paid" in row["line"].what
    assert [part.total for part in found["parts"]] == [1]


def test_a_request_and_a_report_are_not_shown_again_as_their_tickets(sam: User, order: Order) -> None:
    ask(order.user, 1, order=order, request=request_it(order))
    ticket = ask(order.user, 2, order=order)
    claim = claim_it(order)
    Message.objects.filter(ticket=ticket, kind=Message.Kind.CUSTOMER).update(key=f"{CAUSED_BY_ORDERS}claim:{claim.pk}")
    other = ask(order.user, 3, order=order)

    found = queue(at_the_admin(sam))

    assert sorted(row["kind"] for row in found["rows"]) == ["Customer requests", "Reports about goods", "Tickets"]
    assert f"#{other.pk} Question 3" in said(at_the_admin(sam))


def test_nobody_is_asked_to_decide_about_what_they_began_or_is_their_own(sam: User, tom: User, order: Order) -> None:
    move_by_hand(user=order.user, kind=MoneyRequest.Kind.ADJUSTMENT, amount_micros=900_000_000, note="a prize",
                 actor=sam, request_id="one")  # fmt: skip
    pay_oddly(make_order(tom))

    assert [row["kind"] for row in queue(at_the_admin(tom))["rows"]] == ["Manual adjustments"]
    assert [row["kind"] for row in queue(at_the_admin(sam))["rows"]] == ["Payments"]


def test_a_long_queue_says_how_much_more_there_is(sam: User, ann: User) -> None:
    for number in range(MOST_SHOWN + 3):
        ask(ann, number)

    page = at_the_admin(sam).get(HOME)

    found = page.context["home"]["queue"]
    assert (len(found["rows"]), found["more"]) == (MOST_SHOWN, 3)
    assert "And 3 more." in page.content.decode()


def test_statements_do_not_grow_with_what_waits(sam: User) -> None:
    desk = at_the_admin(sam)
    make_rows(1)
    queue(desk)
    counts = []

    for number in (2, 3):
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            desk.get(HOME)
        # The version of the preferences is asked for by the clock.
        counts.append(len([each for each in asked if PreferenceChange._meta.db_table not in each["sql"]]))
        make_rows(number)

    assert counts[0] == counts[1] <= 70


def test_the_page_is_kept_for_a_moment_by_what_one_may_see(sam: User, tom: User, order: Order) -> None:
    flag_it(order)
    cache.clear()
    at_the_admin(sam).get(HOME)
    with CaptureQueriesContext(connection) as asked:
        page = at_the_admin(tom).get(HOME)
    other = at_the_admin(with_rights("clerk@example.com", "view_ticket")).get(HOME)

    assert [row["kind"] for row in page.context["home"]["queue"]["rows"]] == ["Orders"]
    assert [sql for each in asked if AttentionFlag._meta.db_table in (sql := each["sql"]) and "raised_at" in sql] == []
    assert other.context["home"]["queue"]["rows"] == []


def test_every_model_of_the_queue_has_pages() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert {kind.model for kind in KINDS} <= registered
