"""The customer's own numbers: watch the codes arrive."""

from datetime import timedelta

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import (
    CustomerRequest,
    customers_only,
    render_live,
)
from orders.models import OPEN, Kind
from sms.forms import BuyNumberForm, NumberCard, Offer
from sms.models import Number
from sms.pricing import NumberBook, number_book
from sms.views.shelf import offer_of

RECENT = timedelta(days=1)
MOST_SHOWN = 50


@customers_only
@require_safe
def waiting(request: CustomerRequest) -> HttpResponse:
    """Show the customer's open and recent numbers; one request refreshes all of them while one is open."""
    recent = Q(status__in=OPEN) | Q(created_at__gte=timezone.now() - RECENT)
    orders = request.user.orders.filter(recent, kind=Kind.NUMBER).newest_first()
    numbers = [order.number for order in orders.select_related("number__project__country")[:MOST_SHOWN]]
    book = number_book(request.user)
    context = {
        "cards": [NumberCard(number, _reuse_of(number, book)) for number in numbers],
        "moving": any(number.order.is_open for number in numbers),
        "news": _newest_code(numbers),
    }
    state = [
        (
            number.order_id,
            number.order.status,
            number.state,
            number.phone,
            number.code,
            number.content,
            number.expires_at,
        )
        for number in numbers
    ]
    return render_live(request, "sms/waiting.html", "numbers", context, state=state)


def _reuse_of(number: Number, book: NumberBook) -> Offer | None:
    """The offer to wait for another code on a number that has had one; the supplier may still say no."""
    if number.state != Number.State.RECEIVED or not number.phone or number.project.withdrawn_at:
        return None
    form = BuyNumberForm(project=number.project, initial={"reuse": number.order_id})
    return offer_of(number.project, book, form)


def _newest_code(numbers: list[Number]) -> Number | None:
    """The number whose code came last: what a screen reader should say."""
    received = [number for number in numbers if number.received_at]
    return max(received, key=lambda number: number.received_at or number.created_at, default=None)
