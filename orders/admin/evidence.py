"""What reconciliation found out about an order, laid out for the person who decides."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.admin.widgets import DialogForm
from orders.admin.widgets import UPSTREAM
from orders.admin.window_picture import picture_of
from orders.attempts.windows import window_of
from orders.models import LostAttempt, Order, Status

State = LostAttempt.State


class WindowForm(DialogForm):
    """The newest order id in the supplier's own list."""

    last_id = forms.IntegerField(
        label=gettext_lazy("Newest order ID in the supplier's list"), min_value=1, widget=UnfoldAdminIntegerFieldWidget
    )


@display(description=gettext_lazy("findings"))
def reconciliation(order: Order) -> str:
    """Return the evidence as a panel, or a sentence while there is none."""
    attempts = list(order.lost_attempts.order_by("sent_at", "pk"))
    # What was found of an earlier attempt says nothing about the one that is looked for now.
    waiting = [one for one in attempts if one.state in (State.LOST, State.SOUGHT)]
    shown = [one for one in waiting or attempts if one.state != State.ABANDONED and one.evidence]
    last = shown[-1] if shown else None
    abandoned = [one for one in attempts if one.state == State.ABANDONED]
    if not (last or abandoned or order.not_found_times):
        return _("Nothing yet. The order is checked every 30 seconds.") if order.status == Status.UNKNOWN else "–"
    sent_at = last.sent_at if last else order.sent_at or order.created_at
    context = {
        "abandoned": [{"sent_at": one.sent_at, **one.evidence, "window": window_of(one)} for one in abandoned],
        "found": last.evidence if last else {},
        "order": order,
        "picture": picture_of(last.evidence) if last else None,
        "settled_at": sent_at + timedelta(seconds=settings.SETTLE_SECONDS),
        "upstream": UPSTREAM,
        "waits": order.status == Status.UNKNOWN,
        "why": last.doubt_text if last and last in waiting else "",
    }
    return render_to_string("admin/orders/reconciliation.html", context)
