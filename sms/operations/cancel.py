"""A customer does not want to wait for a code any longer."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import UPSTREAM_OPEN, Order
from orders.placing.refusals import OrderRefused
from sms.models import Number, ReplacementRule


def cancel_number(order_id: int, *, user: User, now: datetime | None = None) -> Number:
    """Note that the customer wants one of their numbers canceled and ask upstream about it at once; return it.

    Upstream knows no cancellation. The money comes back with the next answer that says that nothing was charged, and
    else when the number ends without having been charged; a code that comes before that is shown and paid. Doing it
    again changes nothing. Raises OrderRefused for a number that does not wait, Number.DoesNotExist for a stranger's.
    """
    now = now or timezone.now()
    number = Number.objects.select_related("order").get(order__pk=order_id, order__user=user)
    with transaction.atomic():
        # An answer under way records its own next question: then this one is asked with that.
        waiting = Order.objects.filter(pk=order_id, status__in=UPSTREAM_OPEN)
        if not waiting.update(next_poll_at=now):
            if number.order.is_open:
                raise OrderRefused(_("We're still getting this number. Please try again in a few seconds."))
            raise OrderRefused(_("This number is no longer waiting for a code."))
        Number.objects.filter(pk=number.pk, cancel_requested_at=None).update(cancel_requested_at=now)
        ReplacementRule.objects.filter(number=number).update(next_at=None)
    number.refresh_from_db()
    return number
