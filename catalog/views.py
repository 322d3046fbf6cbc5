"""The shelves: all categories, one category, and the search."""

from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, personal_page, wants_part
from catalog.forms import ShelfQuery
from catalog.models import Category, Service
from catalog.shelves import categories_for_tiles, fill_shelf, subcategories_for_tabs


@personal_page
@require_safe
def index(request: PageRequest) -> HttpResponse:
    """Show all categories with something on sale."""
    return render(request, "catalog/index.html", {"categories": categories_for_tiles()})


@personal_page
@require_safe
def category(request: PageRequest, pk: int) -> HttpResponse:
    """Show the services of one category, or of one of its subcategories."""
    shown = get_object_or_404(Category, pk=pk, visible=True)
    subcategories = list(subcategories_for_tabs(shown))
    query = ShelfQuery.read(request.GET)
    services = Service.objects.on_sale().filter(category=shown)
    chosen = next((each for each in subcategories if each.pk == query.subcategory_id), None)
    if chosen is not None:
        services = services.filter(subcategory=chosen)
    shelf = fill_shelf(request, replace(query, words=""), services)
    context = {"category": shown, "subcategories": subcategories, "chosen": chosen, "shelf": shelf}
    return render(request, "catalog/category.html", context)


@personal_page
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """Search the services on sale; htmx asks for the results alone while the words are typed."""
    query = ShelfQuery.read(request.GET)
    on_sale = Service.objects.on_sale() if query.words else Service.objects.none()
    services = on_sale.order_by("category__position", "category__name", "position", "pk")
    template = "catalog/search.html#results" if wants_part(request) else "catalog/search.html"
    return render(request, template, {"shelf": fill_shelf(request, query, services)})
