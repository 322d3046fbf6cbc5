"""What a customer can still do about an order: cancel it unsent, ask for a refill or a cancel."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import CustomerRequest, customers_only
from accounts.templatetags.money import money
from orders.lifecycle.service_requests import RequestRefused, cancel_unsent, request_service, what_became_of
from orders.lifecycle.transitions import WrongStatus
from orders.models import Order, ServiceRequest


@customers_only
@require_POST
def cancel(request: CustomerRequest, pk: int) -> HttpResponse:
    """Cancel an order that has not been sent, with an instant refund."""
    try:
        order = cancel_unsent(pk, user=request.user, now=timezone.now())
    except Order.DoesNotExist:
        raise Http404 from None
    except WrongStatus:
        messages.error(request, _why_too_late(request, pk))
    else:
        amount = money(order.refunded_micros)
        messages.success(request, _("Canceled. %(amount)s has been refunded to your balance.") % {"amount": amount})
    return redirect("orders:detail", pk)


def _why_too_late(request: CustomerRequest, pk: int) -> str:
    if request.user.orders.open().filter(pk=pk).exists():
        return _("The order is already being sent, so it was not canceled.")
    return _("This order is already finished, so there was nothing to cancel.")


@customers_only
@require_POST
def ask(request: CustomerRequest, pk: int, kind: str) -> HttpResponse:
    """Ask our staff for a refill or a cancel of an order that upstream has."""
    try:
        asked = request_service(pk, user=request.user, kind=kind, now=timezone.now())
    except Order.DoesNotExist:
        raise Http404 from None
    except RequestRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _thanks(asked))
    return redirect("orders:detail", pk)


def _thanks(asked: ServiceRequest) -> str:
    if asked.state != ServiceRequest.State.OPEN:
        return what_became_of(asked.kind, asked.state, asked.answer)
    if asked.kind == ServiceRequest.Kind.REFILL:
        return _("We have received your refill request. The answer will appear on this page.")
    return _("We have received your cancellation request. The answer will appear on this page.")
