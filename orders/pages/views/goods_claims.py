"""Reporting delivered lines that don't work."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import CustomerRequest, customers_only
from orders.lifecycle.goods_claims import ClaimRefused, claim_lines
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.warranty import warranty_of
from orders.models import GoodsClaim, Order
from orders.pages.goods_claim_form import GoodsClaimForm, typed_lines
from orders.pages.goods_page import claims_of, reports_of


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def goods_claim(request: CustomerRequest, pk: int) -> HttpResponse:
    """Ask which lines of an own order don't work and why, and report them. Nothing of what they say is shown here."""
    order = get_object_or_404(request.user.orders.select_related("goods"), pk=pk)
    if getattr(order, "goods", None) is None:
        raise Http404
    if request.method == "POST":
        form = GoodsClaimForm(request.POST)
        if form.is_valid() and (claims := _claimed(request, order, form)):
            numbers = spans_of(claim.line for claim in claims)
            words = ngettext(
                "Line %(lines)s is reported. We'll look into it and answer here.",
                "Lines %(lines)s are reported. We'll look into it and answer here.",
                len(claims),
            )
            messages.success(request, words % {"lines": numbers})
            return redirect("orders:detail", order.pk)
    else:
        form = GoodsClaimForm(initial={"lines": typed_lines(request.GET.get("lines", ""))})
    context = {
        "order": order,
        "form": form,
        "reports": reports_of(claims_of(order)),
        "warranty": warranty_of(order, order.goods, now=timezone.now()),
    }
    return render(request, "orders/goods_claim.html", context)


def _claimed(request: CustomerRequest, order: Order, form: GoodsClaimForm) -> list[GoodsClaim] | None:
    try:
        return claim_lines(order.pk, user=request.user, now=timezone.now(), **form.cleaned_data)
    except ClaimRefused as refusal:
        form.refuse(refusal)
    return None
