"""The money desk: queues with the evidence beside them, the decisions of the rows' own pages, nothing stale done."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry, User
from accounts.rights import CATALOG, FINANCE, SUPPORT
from orders.models import UpstreamBalance, UpstreamEntry
from storefront.money_desk import queues
from support.models import Attachment, AttachmentContent, Message, Ticket
from tests.security.factors import CONFIRM, desk
from tests.security.staff import at_the_admin, in_role
from tests.wallet.by_hand import balance, move
from wallet.models import GatewayEvent, MoneyRequest, Receivable, TopUp

__all__ = ["desk"]  # the fixture
pytestmark = pytest.mark.django_db
DESK = reverse("admin:money_desk")
Status = TopUp.Status


def waits(user: User, gateway: str = "manual", attention: str = "declared by the customer", **fields: Any) -> TopUp:
    """A payment of ten that somebody has to look at."""
    status = Status.PENDING if gateway == "manual" else Status.REVIEW
    values = {"amount_micros": 10_000_000, "pay_micros": 10_000_000, "currency": "USD", "status": status, **fields}
    return TopUp.objects.create(user=user, gateway=gateway, attention=attention, **values)


@pytest.fixture
def keeper(sam: User) -> Client:
    return at_the_admin(sam)


@pytest.fixture
def clerk() -> Client:
    """Somebody who keeps the money and answers no customers."""
    return at_the_admin(in_role("clerk@example.com", FINANCE))


def shown(client: Client, **query: Any) -> Any:
    return client.get(DESK, query).context


def keys(client: Client, **query: Any) -> list[str]:
    looked = shown(client, **query)["looked"]
    return [decision.key for decision in looked.decisions]


def link(client: Client, key: str, **query: Any) -> str:
    [found] = [one for one in shown(client, **query)["looked"].decisions if one.key == key]
    return str(found.link)


def press(client: Client, address: str, **typed: str) -> Any:
    return client.post(address, {"_form_submitted": "True", **typed})


def told(client: Client, address: str = DESK) -> list[str]:
    return [str(message) for message in client.get(address).context["messages"]]


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_each_queue_has_its_own_and_the_one_that_waits_comes_first(keeper: Client, ann: User, sam: User) -> None:
    transfer, card = waits(ann), waits(ann, "stripe", "paid too little", received_micros=4_000_000)
    asked = move(ann, sam, 150_000_000)

    assert [line.pk for line in shown(keeper)["lines"]] == [card.pk]
    assert [line.pk for line in shown(keeper, tab="transfers")["lines"]] == [transfer.pk]
    assert [line.pk for line in shown(keeper, tab="moves")["lines"]] == [asked.pk]
    assert [(shelf["key"], shelf["count"]) for shelf in shown(keeper)["shelves"]] == [
        (1, 1), (2, 1), (3, 1), (4, 0), (5, 0), (6, 0),
    ]  # fmt: skip


def test_a_payment_stands_beside_what_its_gateway_said_and_what_the_customer_sent(clerk: Client, ann: User) -> None:
    top_up = waits(ann, note="from my account at the bank")
    GatewayEvent.objects.create(gateway="manual", kind="declared", top_up=top_up, outcome="applied", reason="by hand")
    ticket = Ticket.objects.create(user=ann, top_up=top_up, reason="payment", subject="My transfer", state="answered")
    message = Message.objects.create(ticket=ticket, kind="customer", author=ann, text="Here is the slip.")
    Message.objects.create(ticket=ticket, kind="note", text="for us alone")
    slip = Attachment.objects.create(message=message, name="slip.png", kind="png", size=3)
    AttachmentContent.objects.create(attachment=slip, data=b"png")

    page = clerk.get(DESK, {"tab": "transfers"}).content.decode()
    file = clerk.get(reverse("admin:money_file", args=[slip.pk]))

    for text in ("from my account at the bank", "by hand", "Here is the slip.", "ann@example.com"):
        assert text in page
    assert "for us alone" not in page
    assert f'src="{reverse("admin:money_file", args=[slip.pk])}"' in page
    assert reverse("admin:support_ticket_change", args=[ticket.pk]) not in page  # which is not for this clerk
    assert (file.content, file["X-Content-Type-Options"]) == (b"png", "nosniff")
    assert file["Content-Disposition"].startswith("attachment")


def test_files_of_other_questions_are_not_shown_here(keeper: Client, ann: User) -> None:
    ticket = Ticket.objects.create(user=ann, reason="other", subject="Hello", state="answered")
    message = Message.objects.create(ticket=ticket, kind="customer", author=ann, text="x")
    file = Attachment.objects.create(message=message, name="a.png", kind="png", size=3)
    AttachmentContent.objects.create(attachment=file, data=b"png")
    address = reverse("admin:money_file", args=[file.pk])

    assert keeper.get(address).status_code == 404
    Ticket.objects.update(top_up=waits(ann))
    assert keeper.get(address).status_code == 200
    assert at_the_admin(in_role("help@example.com", SUPPORT)).get(address).status_code == 403


def test_files_are_the_customers_of_what_waits_here_and_each_look_is_on_the_trail(clerk: Client, ann: User) -> None:
    top_up = waits(ann)
    ticket = Ticket.objects.create(user=ann, top_up=top_up, reason="payment", subject="x", state="answered")
    files = []
    for kind in ("customer", "staff", "note"):
        message = Message.objects.create(ticket=ticket, kind=kind, text="x")
        file = Attachment.objects.create(message=message, name=f"{kind}.png", kind="png", size=3)
        AttachmentContent.objects.create(attachment=file, data=b"png")
        files.append(reverse("admin:money_file", args=[file.pk]))

    assert [clerk.get(file).status_code for file in files] == [200, 404, 404]
    [entry] = TrailEntry.objects.filter(action=TrailEntry.Action.EXPORTED)
    assert (entry.actor, entry.target) == ("clerk@example.com", "customer.png")
    assert entry.after == {"page": "money_file", "ticket": ticket.pk}

    TopUp.objects.update(status=Status.PAID, attention="")
    assert clerk.get(files[0]).status_code == 404


def test_who_sees_what(ann: User, sam: User) -> None:
    def titles(role: str) -> list[str]:
        answer = at_the_admin(in_role(f"{role}@example.com", role)).get(DESK)
        return [str(shelf["title"]) for shelf in answer.context["shelves"]] if answer.status_code == 200 else []

    whole = ["Payments", "Bank transfers", "Second person", "Supplier account", "Receivables", "Books"]
    assert titles(FINANCE) == whole
    assert titles(SUPPORT) == ["Payments", "Bank transfers"]
    assert titles(CATALOG) == []


def test_whoever_may_only_look_is_offered_no_decision(ann: User) -> None:
    waits(ann)

    assert keys(at_the_admin(in_role("help@example.com", SUPPORT)), tab="transfers") == []


def test_supplier_receivables_and_books_are_told(keeper: Client, ann: User) -> None:
    UpstreamEntry.objects.create(kind="opening", amount_upstream_micros=90_000_000)
    UpstreamBalance.objects.create(amount_upstream_micros=88_000_000)
    Receivable.objects.create(user=ann, amount_micros=5_000_000, paid_micros=2_000_000, note="taken back")

    supplier = dict(shown(keeper, tab="supplier")["known"]["facts"])
    owed = shown(keeper, tab="receivables")["known"]
    books = dict(shown(keeper, tab="books")["known"]["facts"])

    assert (supplier["Balance"], supplier["By our books"], supplier["Difference"]) == (
        "$88.00",
        "$90.00",
        "-$2.00, more than orders in doubt explain",
    )
    assert dict(owed["facts"])["Owed in all"] == "$3.00"
    assert owed["lines"][0][1:3] == ("ann@example.com taken back", "$3.00")
    assert books["Audit"] == "They add up, as far as the last audit saw."


def test_more_rows_ask_no_more_of_the_database(keeper: Client, ann: User, sam: User) -> None:
    def statements(**query: str) -> int:
        keeper.get(DESK, query)  # what is asked once does not count
        with CaptureQueriesContext(connection) as asked:
            keeper.get(DESK, query)
        return len(asked)

    tabs = ("payments", "transfers", "moves", "supplier", "receivables", "books")

    def more() -> None:
        waits(ann)
        waits(ann, "stripe", "odd")
        move(ann, sam, 150_000_000)
        Receivable.objects.create(user=ann, amount_micros=5_000_000)
        UpstreamEntry.objects.create(amount_upstream_micros=1, created_by=sam)

    more()
    before = {tab: statements(tab=tab) for tab in tabs}
    more()
    more()

    assert {tab: statements(tab=tab) for tab in tabs} == before
    assert max(before.values()) <= 40


def test_a_long_queue_is_shown_in_parts_and_every_row_of_it_is_reached(
    keeper: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "SHOWN", 2)
    rows = [waits(ann).pk for _number in range(5)]

    def part(**query: Any) -> tuple[list[int], str, str]:
        context = shown(keeper, tab="transfers", **query)
        return [line.pk for line in context["lines"]], context["before"], context["after"]

    place = f"{DESK}?tab=transfers"
    assert part() == (rows[:2], "", f"{place}&part=1")
    assert part(part=1) == (rows[2:4], place, f"{place}&part=2")
    assert part(part=2) == (rows[4:], f"{place}&part=1", "")
    for number, row in enumerate(rows):
        context = shown(keeper, tab="transfers", at=row)
        assert (context["gone"], context["looked"].title) == (False, TopUp.objects.get(pk=row).reference)
        back = f"{place}&at={rows[number + 1]}" if number < 4 else place
        assert urlencode({"back": back}) in link(keeper, "d", tab="transfers", at=row)
        assert [line.pk for line in context["lines"] if line.is_here] == [row]


def test_whose_own_requests_come_first_reaches_the_others(
    ann: User, sam: User, tom: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "SHOWN", 2)
    for _number in range(2):
        move(ann, sam, 150_000_000)
    others = move(ann, tom, 150_000_000)
    client = at_the_admin(sam)

    assert keys(client, tab="moves") == []
    assert client.get(shown(client, tab="moves")["after"]).context["looked"].decisions
    assert keys(client, tab="moves", at=others.pk) == ["a", "d"]


# --- What is decided --------------------------------------------------------------------------------------------------


def test_after_a_decision_the_next_one_comes_up(keeper: Client, ann: User) -> None:
    first, second, third = (waits(ann) for _time in range(3))
    assert keys(keeper, tab="transfers") == ["c", "d"]

    answer = press(keeper, link(keeper, "d", tab="transfers", at=second.pk))

    assert answer["Location"] == f"{DESK}?tab=transfers&at={third.pk}"
    second.refresh_from_db()
    assert second.status == Status.DECLINED
    assert told(keeper) == ["The payment has been declined."]
    answer = press(keeper, link(keeper, "c", tab="transfers", at=third.pk), amount="10")
    assert answer["Location"] == f"{DESK}?tab=transfers"
    assert shown(keeper, tab="transfers")["lines"][0].pk == first.pk
    assert balance(ann) == 110_000_000


def test_a_payment_that_has_changed_since_it_was_looked_at_stays_as_it_is(keeper: Client, ann: User) -> None:
    top_up = waits(ann, "stripe", "paid too little", received_micros=4_000_000)
    stale = link(keeper, "c", tab="payments")
    TopUp.objects.update(received_micros=10_000_000)

    answer = press(keeper, stale, amount="4")

    assert told(keeper, answer["Location"]) == [
        "This payment has changed since you looked at it. Nothing has been done: look again."
    ]
    top_up.refresh_from_db()
    assert (top_up.status, top_up.credited_micros, balance(ann)) == (Status.REVIEW, 0, 100_000_000)


def test_what_somebody_else_has_decided_meanwhile_is_said(keeper: Client, ann: User) -> None:
    gone, left = waits(ann), waits(ann)
    TopUp.objects.filter(pk=gone.pk).update(status=Status.DECLINED, attention="")

    page = keeper.get(DESK, {"tab": "transfers", "at": gone.pk})

    assert page.context["looked"].title == left.reference
    assert "somebody has decided it" in page.content.decode()


def test_a_second_person_decides_here_and_the_first_one_is_told_who(ann: User, sam: User, tom: User) -> None:
    move(ann, sam, 150_000_000)
    first, second = at_the_admin(sam), at_the_admin(tom)

    assert keys(first, tab="moves") == []
    assert "tom@example.com" in shown(first, tab="moves")["looked"].note
    assert keys(second, tab="moves") == ["a", "d"]

    answer = press(second, link(second, "a", tab="moves"))

    assert answer["Location"] == f"{DESK}?tab=moves"
    assert balance(ann) == 250_000_000
    assert shown(second, tab="moves")["looked"] is None


def test_more_than_one_person_may_waits_and_leads_back_here(keeper: Client, ann: User, settings: Any) -> None:
    settings.ADJUST_APPROVAL_MICROS = 5_000_000
    waits(ann)

    answer = press(keeper, link(keeper, "c", tab="transfers"), amount="10")

    assert answer["Location"] == f"{DESK}?tab=transfers"
    assert MoneyRequest.objects.get().state == MoneyRequest.State.WAITING
    assert balance(ann) == 100_000_000


def test_a_decision_asks_for_a_fresh_sign_in_as_everywhere(desk: Client, ann: User) -> None:
    top_up = waits(ann)

    asked = press(desk, link(desk, "d", tab="transfers"))

    assert asked["Location"].startswith(CONFIRM)
    top_up.refresh_from_db()
    assert top_up.status == Status.PENDING


@pytest.mark.parametrize(
    "back", ["https://evil.example/admin/", "//evil.example/admin/", "/wallet/", "/admin//evil", ""]
)
def test_a_dialog_leads_back_into_the_admin_alone(keeper: Client, ann: User, back: str) -> None:
    top_up = waits(ann)
    page = reverse("admin:wallet_topup_decline", args=[top_up.pk])

    answer = press(keeper, f"{page}?back={back}")

    own = reverse("admin:wallet_topup_change", args=[top_up.pk])
    assert answer["Location"] == (back if back == "/admin//evil" else own)


@pytest.mark.parametrize("at", ["x", "-1", "9" * 40, "١"])
def test_odd_addresses_show_the_first(keeper: Client, ann: User, at: str) -> None:
    top_up = waits(ann)

    assert shown(keeper, tab="transfers", at=at)["looked"].title == top_up.reference
    assert keeper.post(DESK).status_code == 405
    assert timezone.now() > top_up.created_at
