"""Pages that belong to no single part of the shop: the front door, and a customer's own page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import CustomerRequest, PageRequest, customers_only, personal_page
from catalog.models import Service
from catalog.shelves import categories_for_tiles
from sms.models import Country, Project

CATEGORIES_ON_HOME = 12


@personal_page
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """Show what the shop is, the search, the first categories, and how it works."""
    categories = list(categories_for_tiles())
    countries = Country.objects.filter(projects__in=Project.objects.on_sale()).distinct()
    context = {
        "categories": categories[:CATEGORIES_ON_HOME],
        "categories_count": len(categories),
        "services_count": Service.objects.on_sale().count(),
        "countries_count": countries.count(),
    }
    return render(request, "storefront/home.html", context)


@customers_only
@require_safe
def account(request: CustomerRequest) -> HttpResponse:
    """Show where a customer changes address, password and second factor, and signs out."""
    return render(request, "accounts/account.html")
