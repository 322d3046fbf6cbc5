"""The lines of a queue of the money desk, and what is shown of the one that is looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.admin.widgets import may_see, member_of_staff
from accounts.moments import write_distance
from accounts.templatetags.money import money
from storefront.money_desk.tabs import Tab
from support.models import Message, Ticket
from wallet.extensions import page_about
from wallet.models import MoneyRequest, TopUp, Wallet
from wallet.operations.confirmations import seen_of
from wallet.operations.manual_moves import may_decide, who_can_decide

SHOWN = 50  # lines of a part of a queue
EVENTS, TICKETS, MESSAGES = 10, 3, 5
KEYS = {"confirm": "c", "decline": "d", "mark_reviewed": "r", "approve": "a"}


@dataclass(frozen=True)
class QueueLine:
    """Something that waits, and where it is looked at."""

    pk: int
    who: str
    what: str
    micros: int
    age: str
    link: str
    is_here: bool


@dataclass(frozen=True)
class QueuePage:
    """A part of a queue by its number, the row that is looked at, and the one that comes up after that."""

    number: int
    lines: list[QueueLine]
    here: Any
    following: int | None
    is_last: bool


@dataclass(frozen=True)
class Decision:
    """A button of the page of the row itself; the dialog it opens leads back here. `action` is the theme's."""

    title: SafeString
    link: str
    key: str
    action: dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """What is known of a row: facts, what its gateway said, what the customer sent, and what can be decided."""

    title: str
    link: str
    facts: list[tuple[str, Any]]
    decisions: list[Decision]
    note: str = ""
    events: Sequence[Any] = ()
    tickets: list[dict[str, Any]] = field(default_factory=list)


def page_of(tab: Tab, at: int | None, number: int, *, now: datetime) -> QueuePage:
    """Return the part of a queue with the row `at`, or that with this number where it waits no longer; counted from 0.

    Three statements at most. What is looked at is that row, or the first of the part.
    """
    assert tab.waiting is not None  # noqa: S101 - those without a queue have no lines
    waiting = tab.waiting()
    here = waiting.select_related("user").filter(pk=at).first() if at is not None else None
    if here is not None:
        earlier = Q(created_at__lt=here.created_at) | Q(created_at=here.created_at, pk__lt=here.pk)
        number = waiting.filter(earlier).count() // SHOWN
    rows = list(waiting.select_related("user")[number * SHOWN : (number + 1) * SHOWN + 1])
    here = here or next(iter(rows), None)
    places = [row.pk for row in rows]
    following = places[places.index(here.pk) + 1 :] if here is not None and here.pk in places else []
    lines = [
        QueueLine(
            pk=row.pk,
            who=row.user.email,
            what=_what(row),
            micros=_micros(row),
            age=write_distance(row.created_at, now=now),
            link=f"{address(tab, row.pk)}#looked",
            is_here=row == here,
        )
        for row in rows[:SHOWN]
    ]
    return QueuePage(number, lines, here, following[0] if following else None, is_last=len(rows) <= SHOWN)


def address(tab: Tab, at: int | None = None, *, number: int = 0) -> str:
    """Return where a tab is, with one of its rows opened, or a later part of its queue."""
    query = {"tab": tab.name} | ({} if at is None else {"at": at}) | ({"part": number} if number else {})
    return f"{reverse('admin:money_desk')}?{urlencode(query)}"


def looked_at(request: HttpRequest, tab: Tab, page: QueuePage) -> Looked | None:
    """Return what is shown of the row that is looked at; a dozen statements at most."""
    if page.here is None:
        return None
    # Once it is decided the next one comes up; after the last one, the first.
    back = address(tab, page.following)
    looks: dict[type, Callable[..., Looked]] = {TopUp: _payment, MoneyRequest: _move}
    return looks[type(page.here)](request, page.here, back)


def _payment(request: HttpRequest, top_up: TopUp, back: str) -> Looked:
    page = reverse("admin:wallet_topup_change", args=[top_up.pk])
    paid = TopUp.objects.filter(user=top_up.user_id, status=TopUp.Status.PAID)
    before = paid.aggregate(count=Count("pk"), sum=Sum("received_micros"))
    facts = [
        (_("Customer"), top_up.user.email),
        (_("Why"), top_up.attention),
        (_("To pay"), money(top_up.pay_micros)),
        (_("Received"), money(top_up.received_micros)),
        (_("Credited"), money(top_up.credited_micros)),
        (_("Refunded"), money(top_up.refunded_micros) if top_up.refunded_micros else ""),
        (_("Disputed"), money(top_up.disputed_micros) if top_up.disputed_micros else ""),
        (_("Status"), top_up.get_status_display()),
        (_("ID at the gateway"), top_up.gateway_id),
        (_("Note"), top_up.note),
        (_("Balance now"), money(_balance(top_up.user_id))),
        (_("Paid before"), f"{before['count']}: {money(before['sum'] or 0)}" if before["count"] else ""),
    ]
    return Looked(
        title=top_up.reference,
        link=page,
        facts=[(title, value) for title, value in facts if value],
        decisions=_decisions(request, TopUp, top_up, {"back": back, "seen": seen_of(top_up)}),
        events=list(top_up.events.all()[:EVENTS]) if may_see(request.user, "wallet.gatewayevent") else (),
        tickets=_sent_by_customer(request, top_up) if request.user.has_perm("wallet.change_topup") else [],
    )


def _move(request: HttpRequest, asked: MoneyRequest, back: str) -> Looked:
    page = page_about(asked) if asked.about else ""
    facts = [
        (_("Customer"), asked.user.email),
        (_("Kind"), asked.get_kind_display()),
        (_("Amount"), money(asked.amount_micros)),
        (_("Received"), money(asked.received_micros) if asked.received_micros else ""),
        (_("Payout method"), asked.paid_how),
        (_("Note"), asked.note),
        (_("Requested by"), asked.asked_by.email),
        (_("About"), format_html('<a class="underline" href="{}">{}</a>', page, asked.about) if page else asked.about),
        (_("Balance now"), money(_balance(asked.user_id))),
    ]
    is_mine = may_decide(asked, member_of_staff(request))
    return Looked(
        title=asked.get_kind_display(),
        link=reverse("admin:wallet_moneyrequest_change", args=[asked.pk]),
        facts=[(title, value) for title, value in facts if value],
        decisions=_decisions(request, MoneyRequest, asked, {"back": back}),
        note="" if is_mine else who_can_decide(asked),
    )


def _decisions(request: HttpRequest, model: type[Any], row: Any, query: dict[str, str]) -> list[Decision]:
    """Return the buttons that the row's own page offers, each with its key."""
    found = []
    pages: Any = admin.site._registry[model]  # of the theme
    for action in pages.get_actions_detail(request, row.pk):
        key = KEYS[action.method.original_function_name]
        link = f"{reverse(f'admin:{action.action_name}', args=[row.pk])}?{urlencode(query)}"
        title = format_html("{} <kbd>{}</kbd>", action.description, key)
        look = {"variant": action.variant, "dialog": action.dialog, "icon": action.icon, "attrs": {"data-key": key}}
        found.append(Decision(title, link, key, look))
    return found


def _sent_by_customer(request: HttpRequest, top_up: TopUp) -> list[dict[str, Any]]:
    """Return what the customer said and sent about a payment, the newest question first."""
    reads_tickets = may_see(request.user, "support.ticket")
    tickets = list(Ticket.objects.filter(top_up=top_up).order_by("-pk")[:TICKETS])
    messages = (
        Message.objects.filter(ticket__in=tickets, kind=Message.Kind.CUSTOMER)
        .prefetch_related("attachments")
        .order_by("-pk")[: TICKETS * MESSAGES]
    )
    by_ticket: dict[int, list[Message]] = {}
    for message in messages:
        by_ticket.setdefault(message.ticket_id, []).append(message)
    return [
        {
            "ticket": ticket,
            "link": reverse("admin:support_ticket_change", args=[ticket.pk]) if reads_tickets else "",
            "messages": by_ticket.get(ticket.pk, [])[:MESSAGES],
        }
        for ticket in tickets
    ]


def _balance(user_id: int) -> int:
    return Wallet.objects.filter(user=user_id).values_list("balance_micros", flat=True).first() or 0


def _what(row: Any) -> str:
    if isinstance(row, TopUp):
        return str(row.attention)
    return f"{row.get_kind_display()}: {row.note}"


def _micros(row: Any) -> int:
    return row.received_micros or row.pay_micros if isinstance(row, TopUp) else row.amount_micros
