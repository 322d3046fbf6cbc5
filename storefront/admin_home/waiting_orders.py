"""What waits for a human about orders, their goods and the questions about them."""

from collections import defaultdict
from typing import Any

from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, Sum, When
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.models import AttentionFlag, FoundOrder, GoodsClaim, LostAttempt, Order, ServiceRequest
from orders.models import Kind as OrderKind
from storefront.admin_home.lines import Found, Kind, Line, Survey, longest_waiting
from support.models import Ticket
from support.tickets.of_orders import caused_by_claims

# What is settled together with a ticket.
REQUEST, CLAIMS_OF = "request:%d", "claims:%d"


def flagged_orders(survey: Survey) -> Found:
    """Orders with open flags: a line an order, with all that is wrong with it; what was lost together is one line."""
    columns = ("order_id", "order__title", "order__price_micros", "order__refunded_micros", "code", "raised_at")
    in_bulk = (LostAttempt.objects.of_a_restore() | LostAttempt.objects.too_wide()).filter(order=OuterRef("order"))
    each = AttentionFlag.objects.open().exclude(Q(Exists(in_bulk), code=AttentionFlag.Code.PERHAPS_PLACED))
    rows, flags = longest_waiting(each, "raised_at", *columns)
    by_order: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_order[row[0]].append(row)
    lines = [
        Line(
            what=_about(order_id, title, "; ".join(str(AttentionFlag.Code(flag[4]).label) for flag in found)),
            link=reverse("admin:orders_order_change", args=[order_id]),
            since=found[0][5],
            micros=price - refunded,
        )
        for order_id, found in by_order.items()
        for _id, title, price, refunded, _code, _since in found[:1]
    ]
    together = _lost_together()
    return Found([*together, *lines], flags - len(rows) + len(lines) + len(together))


def _lost_together() -> list[Line]:
    """What a restore or a long outage left unanswered: a line for all orders that wait for one reason, not one each."""
    lost = LostAttempt.objects.of_a_restore() | LostAttempt.objects.too_wide()
    groups = lost.order_by().values_list(Case(When(cause=LostAttempt.Cause.RESTORED, then=True), default=False))
    left = F("order__price_micros") - F("order__refunded_micros")
    lines = []
    for restored, count, micros, since in groups.annotate(count=Count("pk"), micros=Sum(left), since=Min("sent_at")):
        words, listed = (_of_restore, "restored") if restored else (_too_wide, "too_wide")
        link = f"{reverse('admin:orders_order_changelist')}?attention={listed}"
        lines.append(Line(words(count), link, since, micros))
    return lines


def _of_restore(count: int) -> str:
    return ngettext(
        "%(count)d order may have been sent before the restore; it waits for proof, or for you",
        "%(count)d orders may have been sent before the restore; they wait for proof, or for you",
        count,
    ) % {"count": count}


def _too_wide(count: int) -> str:
    return ngettext(
        "%(count)d order without an answer: more IDs would have to be asked about than RECONCILE_MAX_WINDOW allows",
        "%(count)d orders without an answer: more IDs would have to be asked about than RECONCILE_MAX_WINDOW allows",
        count,
    ) % {"count": count}


def customer_requests(survey: Survey) -> Found:
    """Refills and cancels that customers ask for."""
    columns = ("pk", "order_id", "order__title", "order__price_micros", "order__refunded_micros", "kind", "created_at")
    rows, total = longest_waiting(
        ServiceRequest.objects.filter(state=ServiceRequest.State.OPEN), "created_at", *columns
    )
    lines = [
        Line(
            what=_about(order_id, title, str(ServiceRequest.Kind(kind).label)),
            link=reverse("admin:orders_servicerequest_change", args=[pk]),
            since=since,
            micros=price - refunded,
            same_as=REQUEST % pk,
        )
        for pk, order_id, title, price, refunded, kind, since in rows
    ]
    return Found(lines, total)


def tickets(survey: Survey) -> Found:
    """Questions that nobody has answered; at stake is the order or the payment they are about."""
    columns = ("pk", "subject", "waiting_since", "order__price_micros", "order__refunded_micros", "top_up__pay_micros",
               "request_id", "order_id", "of_claims")  # fmt: skip
    waiting = Ticket.objects.filter(state=Ticket.State.OPEN).annotate(of_claims=caused_by_claims())
    rows, total = longest_waiting(waiting, "waiting_since", *columns)
    lines = [
        Line(
            what=f"#{pk} {subject}",
            link=reverse("admin:support_ticket_change", args=[pk]),
            since=since,
            micros=(price or 0) - (refunded or 0) or paid or 0,
            same_as=REQUEST % request if request else CLAIMS_OF % order if of_claims else "",
        )
        for pk, subject, since, price, refunded, paid, request, order, of_claims in rows
    ]
    return Found(lines, total)


def goods_claims(survey: Survey) -> Found:
    """Reports about goods: a line a report, at stake is what its lines cost the customer."""
    columns = ("order_id", "claimed_at", "pk", "order__title", "order__price_micros", "order__quantity")
    rows, claimed = longest_waiting(GoodsClaim.objects.filter(state=GoodsClaim.State.WAITING), "claimed_at", *columns)
    reports: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        reports[row[:2]].append(row)
    lines = []
    for (order_id, since), found in reports.items():
        _order, _since, pk, title, price, quantity = found[0]
        words = ngettext("%(count)d line reported", "%(count)d lines reported", len(found)) % {"count": len(found)}
        link = reverse("admin:orders_goodsclaim_change", args=[pk])
        micros = price * len(found) // quantity
        lines.append(Line(_about(order_id, title, words), link, since, micros, same_as=CLAIMS_OF % order_id))
    return Found(lines, claimed - len(rows) + len(lines))


def forwarding_pauses(survey: Survey) -> Found:
    """Reasons why nothing is sent: what customers have paid for waits."""
    lines = [
        Line(
            what=_("Forwarding is paused: %(reason)s") % {"reason": pause.get_reason_display()},
            link=reverse("admin:orders_forwardingpause_change", args=[pause.pk]),
            since=pause.started_at,
            micros=survey.unsent_micros,
            stops=True,
        )
        for pause in survey.pauses
    ]
    return Found(lines, len(lines))


def found_orders(survey: Survey) -> Found:
    """What the supplier has from the time that a restored database has forgotten; at stake is what it charged."""
    columns = ("pk", "kind", "upstream_id", "word", "charge_upstream_micros", "found_at")
    rows, total = longest_waiting(FoundOrder.objects.open(), "found_at", *columns)
    lines = [
        Line(
            what=f"{OrderKind(kind).label} {upstream_id}: {word or '–'}",
            link=reverse("admin:orders_foundorder_change", args=[pk]),
            since=since,
            micros=charge or 0,
        )
        for pk, kind, upstream_id, word, charge, since in rows
    ]
    return Found(lines, total)


def _about(order_id: int, title: str, words: str) -> str:
    return f"#{order_id} {title}: {words}"


KINDS = [
    Kind("pause", gettext_lazy("Forwarding"), "orders.forwardingpause", "orders_forwardingpause_changelist",
         forwarding_pauses),
    Kind("flag", gettext_lazy("Orders"), Order._meta.label_lower, "orders_order_changelist?attention=yes",
         flagged_orders),
    Kind("request", gettext_lazy("Customer requests"), "orders.servicerequest",
         "orders_servicerequest_changelist?state__exact=open", customer_requests),
    Kind("claim", gettext_lazy("Reports about goods"), "orders.goodsclaim",
         "orders_goodsclaim_changelist?state__exact=waiting", goods_claims),
    Kind("found", gettext_lazy("Found after a restore"), "orders.foundorder",
         "orders_foundorder_changelist?settled_at__isempty=1", found_orders),
    Kind("ticket", gettext_lazy("Tickets"), "support.ticket", "support_ticket_changelist", tickets),
]  # fmt: skip
