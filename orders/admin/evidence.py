"""What reconciliation found out about an order, laid out for the person who decides."""

from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from orders.admin.widgets import UPSTREAM
from orders.attempts.not_found import KEY, record_of
from orders.attempts.windows import ABANDONED, abandoned_attempts
from orders.models import Order, Status


class WindowForm(BaseDialogForm):
    """The newest order id in the supplier's own list."""

    last_id = forms.IntegerField(
        label=gettext_lazy("Newest order id in the supplier's list"), min_value=1, widget=UnfoldAdminIntegerFieldWidget
    )


@display(description=gettext_lazy("what was found out"))
def reconciliation(order: Order) -> str:
    """Return the evidence as a panel, or a sentence while there is none."""
    found = order.reconciliation or {}
    if not found.keys() & {"window", KEY, ABANDONED}:
        return _("Nothing yet: it is looked into every half minute.") if order.status == Status.UNKNOWN else "–"
    settled_at = (order.sent_at or order.created_at) + timedelta(seconds=settings.SETTLE_SECONDS)
    earlier = [one for one in abandoned_attempts(order.kind) if one.order.pk == order.pk] if ABANDONED in found else []
    context = {
        "abandoned": [
            {"sent_at": datetime.fromisoformat(one.key), "window": one.window, **found[ABANDONED][one.key]}
            for one in earlier
            if one.key in found[ABANDONED]
        ],
        "found": found,
        "not_found": {**record, **{name: datetime.fromisoformat(record[name]) for name in ("since", "last")}}
        if (record := record_of(order))
        else None,
        "why": found.get("why", ""),
        "order": order,
        "settled_at": settled_at,
        "upstream": UPSTREAM,
        "waits": order.status == Status.UNKNOWN,
    }
    return render_to_string("admin/orders/reconciliation.html", context)
