"""Pages that belong to no single part of the shop: the home page, and a customer's own page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from accounts.access import CustomerRequest, PageRequest, customers_only
from accounts.models import User
from accounts.operations import remember_language
from accounts.preferences import REFERRAL_SHARE
from catalog.browse.category_index import category_index
from catalog.browse.durations import write_short_duration
from catalog.caching.page_cache import cached_page
from catalog.caching.version import recent_version
from catalog.operations.stock_alerts import open_stock_alerts
from orders.lifecycle.levels import standing_of
from preferences.face import LANGUAGES
from sms.models import Country, Project
from storefront.home.proof import proof
from storefront.home.welcome import welcome
from storefront.home.window import shop_window


# A new country is counted when the page is made anew: at the next change, or some minutes later.
@cached_page(browses=True, tells_stock=False)
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """Show visitors what the shop is, what sells and how it works; customers, how they stand."""
    version = recent_version()
    index = category_index(version)
    context: dict[str, Any] = {
        "groups": shop_window(index, version),
        "categories_count": len(index.on_sale),
    }
    if isinstance(request.user, User):
        wallet = getattr(request.user, "wallet", None)
        context["welcome"] = welcome(request.user, index, version, now=timezone.now())
        context["balance_micros"] = wallet.balance_micros if wallet is not None else 0
        return render(request, "storefront/welcome.html", context)
    countries = Country.objects.filter(projects__in=Project.objects.on_sale()).distinct()
    shown = proof(version)
    context |= {
        "services_count": index.counts.total(),
        "countries_count": countries.count(),
        "proof": shown,
        "usual_time": write_short_duration(shown.done_seconds) if shown.done_seconds else "",
    }
    return render(request, "storefront/home.html", context)


@customers_only
@require_safe
def account(request: CustomerRequest) -> HttpResponse:
    """Show where a customer changes address, password, second factor and notices, and signs out."""
    context = {
        "stock_alerts": open_stock_alerts(request.user),
        "referrals": REFERRAL_SHARE.value > 0,
        "standing": standing_of(request.user, now=timezone.now()),
    }
    return render(request, "accounts/account.html", context)


def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language of the pages in a cookie and that of the mails with the customer; lead back to the page."""
    answer = set_language(request)
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES.value and isinstance(request.user, User):
        remember_language(request.user, chosen)
    return answer
