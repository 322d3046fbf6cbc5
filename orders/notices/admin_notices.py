"""What the admins are told by mail, once per episode: pauses, lost answers, flags, losses, low money."""

import hashlib
import platform
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from notifications.outbox import tell_admins, with_admin_page
from orders.models import ForwardingPause, Order
from orders.preferences import MARGIN_HELD


def tell_of_pause(pause: ForwardingPause, *, now: datetime) -> None:
    """Forwarding has stopped; an admin who pauses it knows."""
    if pause.reason in (ForwardingPause.Reason.ADMIN, ForwardingPause.Reason.RESTORED):
        return
    body = _(
        "%(reason)s: %(detail)s\n"
        "Paid orders keep their place in the queue. Forwarding resumes automatically once this is "
        "over."
    )
    words = {"reason": pause.get_reason_display(), "detail": pause.detail or "–"}
    subject = _("Forwarding is paused: %(reason)s") % words
    tell_admins(f"pause:{pause.pk}", subject, with_admin_page(body % words, pause), now)


def tell_of_resumption(pause: ForwardingPause, *, now: datetime) -> None:
    """The pause has ended, by itself or by a colleague."""
    words = {"reason": pause.get_reason_display()}
    subject = _("A forwarding pause has ended: %(reason)s") % words
    body = _("Waiting orders will be sent, unless another pause is still active.")
    tell_admins(f"pause:{pause.pk}:ended", subject, with_admin_page(body, pause), now)


def tell_of_unknown(order: Order, reason: str, *, now: datetime) -> None:
    """Nobody knows whether this attempt was placed."""
    subject = _("Order #%(number)s: no clear answer from upstream") % {"number": order.pk}
    body = _(
        "%(title)s\n"
        "%(reason)s\n"
        "It won't be sent again until there is proof. If none turns up, the order's page asks you to "
        "decide."
    ) % {"title": order.title, "reason": reason}
    tell_admins(f"unknown:{order.pk}:{order.attempts}", subject, with_admin_page(body, order), now)


def tell_of_unexplained(kind: str, upstream_ids: Sequence[int], order_ids: Sequence[int], *, now: datetime) -> None:
    """Upstream has orders that nobody here knows, and that the lost attempts beside them do not explain."""
    ids, orders = ", ".join(map(str, upstream_ids)), ", ".join(f"#{pk}" for pk in order_ids) or "–"
    body = _(
        "Upstream has orders that this shop doesn't know: %(ids)s.\n"
        "The lost orders that they could be don't explain them: %(orders)s. None of these is settled automatically: "
        "compare them with the supplier's list, and decide on each order's page."
    ) % {"ids": ids, "orders": orders}
    tell_admins(f"unexplained:{kind}:{_short(ids)}", _("Upstream has orders that don't fit"), body, now)


def tell_of_wrong_clock(off_seconds: float, *, now: datetime) -> None:
    """A worker sends nothing because its clock is wrong; told once a day for each machine."""
    words = {"host": platform.node(), "seconds": round(off_seconds)}
    body = _(
        "The clock of %(host)s is %(seconds)s s off the database's. This machine sends no orders until it is right: "
        "set up time synchronization there. Other workers go on."
    )
    tell_admins(f"clock:{words['host']}:{now:%Y-%m-%d}", _("A worker's clock is wrong"), body % words, now)


def tell_of_late_answer(order: Order, upstream_id: str, *, now: datetime) -> None:
    """Upstream placed what we had settled without it: the shop's loss."""
    subject = _("Order #%(number)s was placed upstream after all") % {"number": order.pk}
    body = _(
        "%(title)s\nUpstream answered with its order %(id)s after this order had been settled. The loss is ours."
    ) % {"title": order.title, "id": upstream_id}
    tell_admins(f"loss:{order.pk}:{upstream_id}", subject, with_admin_page(body, order), now)


def tell_of_flag(order: Order, reason: str, episode: str, *, now: datetime) -> None:
    """An order was put on the list of those that need a human; the same `episode` of an order is told once."""
    subject = _("Order #%(number)s needs attention") % {"number": order.pk}
    body = f"{order.title}\n{reason}"
    tell_admins(f"flag:{order.pk}:{_short(episode)}", subject, with_admin_page(body, order), now)


def tell_of_hold(order: Order, reason: str, *, now: datetime) -> None:
    """Orders of a service are held back. A rate that rises holds a whole queue: one mail a day says it of all."""
    because = "" if order.service is None else order.service.paused_because or str(order.service.rate_upstream_micros)
    subject = _("Orders on hold: %(title)s") % {"title": order.title}
    body = _(
        "%(reason)s\n"
        "The order is sent automatically once that is over, or refunded after %(hours)d hours. On its "
        "page, you can send it anyway or refund it now. More orders for this service may be on hold."
    ) % {"reason": reason, "hours": MARGIN_HELD.value // timedelta(hours=1)}
    tell_admins(f"held:{order.service_id}:{now:%Y-%m-%d}:{_short(because)}", subject, with_admin_page(body, order), now)


def tell_of_paused_service(order: Order, reason: str, charge: str, *, now: datetime) -> None:
    """A charge showed that a service is not what we took it for; `charge` says what was expected and what came."""
    subject = _("A service is paused: %(title)s") % {"title": order.title}
    body = _(
        "%(reason)s\n"
        "%(charge)s\n"
        "The service is not sold, and its paid orders wait, until you have checked it and cleared its "
        "“pause reason” field."
    ) % {"reason": reason, "charge": charge}
    tell_admins(f"service-paused:{order.service_id}:{order.pk}", subject, with_admin_page(body, order), now)


def tell_of_low_balance(episode: int, text: str, *, now: datetime) -> None:
    """The upstream account runs dry; `episode` is one number for as long as it lasts."""
    tell_admins(f"balance-low:{episode}", _("The upstream balance is low"), text, now)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
