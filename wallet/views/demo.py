"""The demo gateway's own page: whoever pays chooses how the payment ends. Exists only where its gateway does."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.datastructures import CaseInsensitiveMapping
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import CustomerRequest, address_of, customers_only
from wallet.gateways import Gateway, State, find_gateway
from wallet.gateways.demo import demo_event, demo_headers
from wallet.models import TopUp
from wallet.operations import handle_callback

Callbacks = list[tuple[bytes, dict[str, str]]]


def _signed(*bodies: bytes) -> Callbacks:
    return [(body, demo_headers(body)) for body in bodies]


def _paid(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.PAID))


def _pending(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.PENDING))


def _declined(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.DECLINED))


def _late(top_up: TopUp) -> Callbacks:
    TopUp.objects.filter(pk=top_up.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    return _signed(demo_event(top_up, State.EXPIRED), demo_event(top_up, State.PAID))


def _twice(top_up: TopUp) -> Callbacks:
    """The same event again, and then the same news as an event of its own."""
    body = demo_event(top_up, State.PAID)
    return _signed(body, body, demo_event(top_up, State.PAID))


def _wrong_amount(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.PAID, amount_micros=top_up.pay_micros // 2))


def _wrong_currency(top_up: TopUp) -> Callbacks:
    other = "EUR" if top_up.currency != "EUR" else "USD"
    return _signed(demo_event(top_up, State.PAID, currency=other))


def _forged(top_up: TopUp) -> Callbacks:
    body = demo_event(top_up, State.PAID)
    return [(body, demo_headers(body, forged=True))]


def _refunded(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.PAID), demo_event(top_up, State.REFUNDED))


def _disputed(top_up: TopUp) -> Callbacks:
    return _signed(demo_event(top_up, State.PAID), demo_event(top_up, State.DISPUTED))


OUTCOMES: dict[str, tuple[str | Promise, Callable[[TopUp], Callbacks]]] = {
    "paid": (gettext_lazy("Paid"), _paid),
    "pending": (gettext_lazy("Being confirmed"), _pending),
    "declined": (gettext_lazy("Declined"), _declined),
    "late": (gettext_lazy("Paid too late"), _late),
    "twice": (gettext_lazy("Paid, with three notifications"), _twice),
    "wrong_amount": (gettext_lazy("Half paid"), _wrong_amount),
    "wrong_currency": (gettext_lazy("Paid in another currency"), _wrong_currency),
    "forged": (gettext_lazy("Forged"), _forged),
    "refunded": (gettext_lazy("Paid, then refunded"), _refunded),
    "disputed": (gettext_lazy("Paid, then disputed"), _disputed),
}


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def demo(request: CustomerRequest, reference: str) -> HttpResponse:
    """Offer the outcomes, and send the callbacks of the one that was chosen through the door every gateway uses."""
    gateway = find_gateway("demo")
    if gateway is None:
        raise Http404
    top_up = get_object_or_404(request.user.top_ups, reference=reference, gateway="demo")
    if request.method == "POST":
        outcome = OUTCOMES.get(request.POST.get("outcome", ""))
        if outcome is None:
            raise Http404
        statuses = _send(gateway, outcome[1](top_up), address_of(request))
        messages.info(request, _("The shop answered: %(statuses)s") % {"statuses": ", ".join(statuses)})
        return redirect("wallet:payment", reference)
    outcomes = [(name, label) for name, (label, _callbacks) in OUTCOMES.items()]
    return render(request, "wallet/demo_gateway.html", {"top_up": top_up, "outcomes": outcomes})


def _send(gateway: Gateway, callbacks: Callbacks, address: str | None) -> list[str]:
    return [
        str(handle_callback(gateway, headers=CaseInsensitiveMapping(headers), body=body, address=address))
        for body, headers in callbacks
    ]
