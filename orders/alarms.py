"""What the admins are told by mail, once per episode: pauses, lost answers, flags, late answers."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.models import ForwardingPause, Order
from orders.notices import tell_admins


def tell_of_pause(pause: ForwardingPause, *, now: datetime) -> None:
    """Forwarding has stopped; an admin who pauses it knows."""
    if pause.reason == ForwardingPause.Reason.ADMIN:
        return
    body = _("%(reason)s: %(detail)s\nPaid orders keep their places and wait. It resumes by itself once this is over.")
    words = {"reason": pause.get_reason_display(), "detail": pause.detail or "–"}
    subject = _("Forwarding is paused: %(reason)s") % words
    tell_admins(f"pause:{pause.pk}", subject, _with_page(body % words, pause), now)


def tell_of_resumption(pause: ForwardingPause, *, now: datetime) -> None:
    """The pause has ended, by itself or by a colleague."""
    words = {"reason": pause.get_reason_display()}
    subject = _("A pause of forwarding has ended: %(reason)s") % words
    body = _("Waiting orders are sent again, unless another pause is still open.")
    tell_admins(f"pause:{pause.pk}:ended", subject, _with_page(body, pause), now)


def tell_of_unknown(order: Order, reason: str, *, now: datetime) -> None:
    """Nobody knows whether this attempt was placed."""
    subject = _("Order #%(number)s: no clear answer from upstream") % {"number": order.pk}
    body = _(
        "%(title)s\n%(reason)s\nIt is not sent again before there is proof. If none turns up, "
        "its page asks you to decide."
    ) % {"title": order.title, "reason": reason}
    tell_admins(f"unknown:{order.pk}:{order.attempts}", subject, _with_page(body, order), now)


def tell_of_late_answer(order: Order, upstream_id: str, *, now: datetime) -> None:
    """Upstream placed what we had settled without it: the shop's loss."""
    subject = _("Order #%(number)s was placed upstream after all") % {"number": order.pk}
    body = _(
        "%(title)s\nUpstream answered with its order %(id)s after this order had been settled. It is our loss."
    ) % {"title": order.title, "id": upstream_id}
    tell_admins(f"loss:{order.pk}:{upstream_id}", subject, _with_page(body, order), now)


def tell_of_flag(order: Order, reason: str, *, now: datetime) -> None:
    """An order was put on the list of those that need a human."""
    subject = _("Order #%(number)s needs a human") % {"number": order.pk}
    body = f"{order.title}\n{reason}"
    said = hashlib.sha256(reason.encode()).hexdigest()[:12]
    tell_admins(f"flag:{order.pk}:{said}", subject, _with_page(body, order), now)


def _with_page(text: str, row: Model) -> str:
    """The text, and below it the address of the row's page at the admin."""
    return f"{text}\n\n{settings.SITE_URL}{reverse(f'admin:orders_{row._meta.model_name}_change', args=[row.pk])}"
