"""What staff sees beside a ticket: who asks, about what, and what is known of it."""

from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.admin.blocks import Block
from accounts.admin.widgets import may_see
from accounts.moments import write_moment
from accounts.templatetags.money import money
from catalog.browse.durations import write_duration
from orders.models import Order
from support.models import Ticket
from wallet.gateways import find_gateway
from wallet.models import TopUp

EVENTS = 12
OTHERS = 5


def evidence_of(ticket: Ticket, request: HttpRequest, *, now: datetime) -> list[Block]:
    """Return the blocks that this member of staff may see; each has what the row's own page shows them."""
    blocks = []
    if may_see(request.user, "accounts.user"):
        blocks.append(_customer(ticket))
    if ticket.order is not None and may_see(request.user, "orders.order"):
        blocks += [_order(ticket.order), *_times(ticket.order, now)]
    if ticket.top_up is not None and may_see(request.user, "wallet.topup"):
        blocks.append(_payment(ticket.top_up))
    return [block.without_empty() for block in blocks]


def others_of(ticket: Ticket) -> list[Ticket]:
    """Return the customer's other tickets: those about the same first, then the newest."""
    others = Ticket.objects.filter(user=ticket.user_id).exclude(pk=ticket.pk)
    same = others.filter(
        Q(order=ticket.order_id, order__isnull=False) | Q(top_up=ticket.top_up_id, top_up__isnull=False)
    )
    found = {one.pk: one for one in [*same.order_by("-pk")[:OTHERS], *others.order_by("-pk")[:OTHERS]]}
    return list(found.values())[:OTHERS]


def _customer(ticket: Ticket) -> Block:
    user = ticket.user
    lines = [
        (_("Email"), user.email),
        (_("Language"), user.mail_language),
        (_("Customer since"), write_moment(user.date_joined)),
        (_("Orders"), number_format(user.orders.count(), force_grouping=True)),
        (_("Group"), str(user.group or "")),
    ]
    return Block(_("Customer"), lines, reverse("admin:accounts_user_change", args=[user.pk]))


def _order(order: Order) -> Block:
    service = order.service
    done = order.done
    lines = [
        (_("Item"), order.title),
        (_("Status"), order.get_status_display()),
        (_("Service"), f"{service.upstream_id}" if service is not None else ""),
        (_("Link"), order.link),
        (_("Quantity"), number_format(order.quantity, force_grouping=True)),
        (_("Start count"), "" if order.start_count is None else number_format(order.start_count, force_grouping=True)),
        (_("Delivered"), "" if done is None else number_format(done, force_grouping=True)),
        (_("Price"), money(order.price_micros)),
        (_("Refunded"), money(order.refunded_micros) if order.refunded_micros else ""),
        (_("Upstream order"), order.upstream_id or ""),
        (_("Upstream status"), order.upstream_word),
    ]
    newest = list(order.events.order_by("-pk")[:EVENTS])
    events = [(str(event.get_code_display()), write_moment(event.created_at)) for event in reversed(newest)]
    return Block(
        _("Order #%(number)s") % {"number": order.pk},
        lines,
        reverse("admin:orders_order_change", args=[order.pk]),
        events,
    )


def _times(order: Order, now: datetime) -> list[Block]:
    quality = getattr(order.service, "quality", None)
    until = order.finished_at or now
    lines = [(_("Time so far"), write_duration(int((until - order.created_at).total_seconds())))]
    if order.polled_at:
        lines.append((_("Last checked"), write_moment(order.polled_at)))
    if quality is None:
        lines.append((_("Usually"), _("not measured")))
        return [Block(_("Measured times"), lines)]
    pairs = [
        (_("Starts in, usually"), quality.start_seconds),
        (_("Starts in, 9 in 10"), quality.start_seconds_most),
        (_("Done in, usually"), quality.done_seconds),
        (_("Done in, 9 in 10"), quality.done_seconds_most),
    ]
    lines += [(name, write_duration(seconds)) for name, seconds in pairs if seconds]
    return [Block(_("Measured times"), lines)]


def _payment(top_up: TopUp) -> Block:
    gateway = find_gateway(top_up.gateway)
    lines = [
        (_("Status"), str(top_up.get_status_display())),
        (_("Gateway"), str(gateway.title) if gateway else top_up.gateway),
        (_("To pay"), money(top_up.pay_micros)),
        (_("Received"), money(top_up.received_micros) if top_up.received_micros else ""),
        (_("Payment ID at the gateway"), top_up.gateway_id),
        (_("Created"), write_moment(top_up.created_at)),
        (_("Paid"), write_moment(top_up.paid_at) if top_up.paid_at else ""),
        (_("Needs attention because"), top_up.attention),
    ]
    title = _("Payment %(reference)s") % {"reference": top_up.reference}
    return Block(title, lines, reverse("admin:wallet_topup_change", args=[top_up.pk]))
