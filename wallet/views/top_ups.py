"""Adding money: the form, the way to the gateway, and the page that says where a payment is."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import (
    CustomerRequest,
    customers_only,
    render_live,
    wants_part,
)
from upstream.money import text_from_micros
from wallet.extensions import purpose_of
from wallet.forms import TopUpForm, TransferForm
from wallet.gateways import enabled_gateways
from wallet.models import OPEN_TOP_UPS, TopUp
from wallet.operations import (
    TopUpRefused,
    WrongStatus,
    ask_soon,
    cancel_top_up,
    declare_transfer,
    start_top_up,
)

Status = TopUp.Status
DECLARABLE = (Status.CREATED, Status.EXPIRED)
# The badges' colours are named after the states of orders.
TONES = {
    Status.PENDING: "waiting",
    Status.PAID: "completed",
    Status.REVIEW: "partial",
    Status.DECLINED: "failed",
    Status.DISPUTED: "failed",
}


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: CustomerRequest) -> HttpResponse:
    """Ask how much and how; a valid form begins the payment and leads to where it is paid."""
    if request.method == "POST":
        form = TopUpForm(request.POST)
        top_up = _start(request, form) if form.is_valid() else None
        if top_up:
            return redirect("wallet:pay", top_up.reference)
    else:
        wanted = {name: request.GET[name][:40] for name in ("amount", "gateway") if request.GET.get(name)}
        form = TopUpForm(initial=wanted)
    part = wants_part(request)
    return render(request, "wallet/top_up.html#ways" if part else "wallet/top_up.html", {"form": form, "part": part})


def _start(request: CustomerRequest, form: TopUpForm) -> TopUp | None:
    values = form.cleaned_data
    try:
        return start_top_up(user=request.user, gateway=values["gateway"], amount_micros=values["amount"])
    except TopUpRefused as refusal:
        form.add_error(refusal.field or None, str(refusal))
    return None


@customers_only
@require_safe
def pay(request: CustomerRequest, reference: str) -> HttpResponse:
    """Lead to where the payment is made.

    A page with a link that follows itself instead of a redirect: the browsers' form-action policy would have to name
    every host that a form may lead to in the end, and a gateway may be anywhere.
    """
    top_up = _top_up(request, reference)
    if top_up.status != Status.CREATED or not top_up.pay_url:
        return redirect("wallet:payment", reference)
    if top_up.pay_url.startswith("/"):
        return redirect(top_up.pay_url)
    return render(request, "wallet/payment_leave.html", {"top_up": top_up})


@customers_only
@require_safe
def payment(request: CustomerRequest, reference: str) -> HttpResponse:
    """Show where a payment is; the page follows it by itself while it is open."""
    return _payment_page(request, _top_up(request, reference))


def _payment_page(request: CustomerRequest, top_up: TopUp, form: TransferForm | None = None) -> HttpResponse:
    is_open = top_up.status in OPEN_TOP_UPS
    purpose = purpose_of(top_up)
    by_hand = top_up.gateway == "manual"
    if is_open:
        ask_soon(top_up)
    gateway = enabled_gateways().get(top_up.gateway)
    amount = text_from_micros(top_up.amount_micros)
    context = {
        "top_up": top_up,
        "tone": TONES.get(Status(top_up.status), top_up.status),
        "moving": (is_open and not by_hand) or bool(purpose and purpose.moving and not is_open),
        "purpose": purpose,
        "gateway": gateway,
        "can_pay": top_up.status == Status.CREATED and top_up.pay_url and gateway and not by_hand,
        "declare": form or TransferForm() if by_hand and top_up.status in DECLARABLE else None,
        "details": settings.MANUAL_TRANSFER_DETAILS if by_hand else "",
        "again": f"{reverse('wallet:add')}?amount={amount}&gateway={top_up.gateway}",
    }
    sums = (top_up.received_micros, top_up.credited_micros, top_up.reversed_micros)
    state = (top_up.status, sums, top_up.pay_url, purpose)
    path = reverse("wallet:payment", args=[top_up.reference])
    return render_live(request, "wallet/payment.html", "state", context, state=state, path=path)


@customers_only
@require_POST
def cancel(request: CustomerRequest, reference: str) -> HttpResponse:
    """Stop waiting for a payment that has not begun."""
    try:
        cancel_top_up(top_up=_top_up(request, reference))
    except WrongStatus as refusal:
        messages.warning(request, str(refusal))
    return redirect("wallet:payment", reference)


@customers_only
@require_POST
def declare(request: CustomerRequest, reference: str) -> HttpResponse:
    """The customer says that the transfer has been made."""
    top_up = _top_up(request, reference)
    form = TransferForm(request.POST)
    if not form.is_valid() and top_up.gateway == "manual" and top_up.status in DECLARABLE:
        return _payment_page(request, top_up, form)
    try:
        declare_transfer(top_up=top_up, note=form.cleaned_data.get("note", ""))
        messages.success(request, _("Thank you. We're looking for your transfer and will confirm it here."))
    except WrongStatus as refusal:
        messages.warning(request, str(refusal))
    return redirect("wallet:payment", reference)


def _top_up(request: CustomerRequest, reference: str) -> TopUp:
    return get_object_or_404(request.user.top_ups, reference=reference)
