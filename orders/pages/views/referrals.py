"""What a customer earns by bringing others: the link to hand on, and each earning without a word about the buyer."""

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only
from accounts.preferences import REFERRAL_SHARE, REFERRED_FOR
from accounts.sign_up.referrals import referral_code_of
from orders.models import ReferralEarning

ROWS_PER_PAGE = 25
State = ReferralEarning.State


@customers_only
@require_safe
def referrals(request: CustomerRequest) -> HttpResponse:
    """Show the customer's link, what it has earned, and when what is waiting is decided."""
    earnings = request.user.referral_earnings.order_by("-id")
    on = REFERRAL_SHARE.value > 0
    if not on and not earnings.exists():
        raise Http404
    sums = earnings.aggregate(
        earned=Sum("amount_micros", default=0), waiting=Count("pk", filter=Q(state=State.WAITING))
    )
    # Nothing that names the order or its buyer leaves here.
    rows = earnings.values("created_at", "state", "amount_micros", "closed_at")
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "on": on,
        "link": settings.SITE_URL + reverse("ref", args=[referral_code_of(request.user)]) if on else "",
        "percent": f"{REFERRAL_SHARE.value.normalize():f}",
        "days": REFERRED_FOR.value.days,
        "final_days": settings.LATE_CHANGE_DAYS,
        "referred": request.user.referred.count(),
        "earned_micros": sums["earned"],
        "waiting": sums["waiting"],
        "page": page,
        "rows": [{**row, "label": State(row["state"]).label} for row in page],
    }
    return render(request, "orders/referrals.html", context)
