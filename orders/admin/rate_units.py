"""The page that asks how many pieces a category's rates buy: both readings of real services, and one click."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.widgets import EditOnlyAdmin
from catalog.admin.repriced import reprice_and_say
from catalog.models import Category, RateUnit, Service
from catalog.models.services import UPSTREAM_CATEGORY_ID, home_id, of_home
from catalog.operations.overrides import choose_rate_unit
from catalog.pricing import PriceBook, price_book
from catalog.pricing.repricing import lock_prices
from orders.fulfilment.margin import REDUCED
from orders.fulfilment.rate_units import charge_matches
from orders.models import Order, RateUnitQuestion

EXAMPLES = 3
SHOWN_AT_ONCE = 20
CHARGED_WITHIN = timedelta(days=90)
UNITS = (RateUnit.ONE, RateUnit.THOUSAND)


@dataclass(frozen=True)
class Reading:
    """What the smallest order of a service costs and brings if its rate buys so many pieces."""

    rate_per: int
    cost_micros: int
    price_micros: int
    assumed: bool


@dataclass(frozen=True)
class Example:
    """A service under both readings, in the order of UNITS."""

    service: Service
    readings: list[Reading]


@dataclass(frozen=True)
class Charged:
    """What upstream really took for an order of the category, and whether that fits each of UNITS."""

    order: Order
    fits: list[bool]


@dataclass(frozen=True)
class Question:
    """A category and what helps to tell its unit."""

    category: Category
    examples: list[Example]
    charged: Charged | None

    @property
    def assumed(self) -> int:
        return self.category.rate_per or settings.DEFAULT_RATE_PER


@admin.register(RateUnitQuestion)
class RateUnitQuestionAdmin(EditOnlyAdmin):
    """Only the list has a page: everything about a category is edited on its own."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            return self._confirm(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        unconfirmed = Category.objects.filter(rate_confirmed_at=None).order_by("position", "name")
        page = Paginator(unconfirmed, SHOWN_AT_ONCE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": _("Rate units to confirm"),
            "page": page,
            "questions": _questions(list(page)),
            "units": [{"value": unit.value, "label": unit.label} for unit in UNITS],
            "may_confirm": self.has_change_permission(request),
            "upstream_currency": settings.UPSTREAM_CURRENCY,
        }
        return render(request, "admin/orders/rate_units.html", context)

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        here = redirect(reverse("admin:orders_rateunitquestion_changelist"))
        category_id, unit = request.POST.get("category", ""), request.POST.get("unit", "")
        if not (category_id.isdecimal() and len(category_id) < 19 and unit in map(str, RateUnit.values)):
            return here
        category = Category.objects.filter(pk=int(category_id)).first()
        if category is None:
            return here
        with transaction.atomic():
            lock_prices()
            if not choose_rate_unit(category, int(unit), now=timezone.now()):
                messages.info(
                    request, _("The rate unit of %(category)s is confirmed already.") % {"category": category}
                )
                return here
            self.log_change(request, category, _("Rate unit confirmed."))
            label = RateUnit(int(unit)).label
            text = _("%(category)s: rates are %(unit)s. Its prices are shown from now on.")
            messages.success(request, text % {"category": category, "unit": label})
            reprice_and_say(request, Service.objects.filter(of_home([category.pk])))
        return here


def _questions(categories: list[Category]) -> list[Question]:
    """A few queries for all of them."""
    by_pk = {category.pk: category for category in categories}
    ranked = Window(RowNumber(), partition_by=UPSTREAM_CATEGORY_ID, order_by=[F("bought_lately").desc(), F("pk").asc()])
    on_sale = Service.objects.filter(of_home([*by_pk]), withdrawn_at=None, rate_per_override=None)
    chosen = on_sale.defer("search_text", "upstream_description", "description").annotate(rank=ranked)
    book = price_book(None)
    examples: dict[int, list[Example]] = {pk: [] for pk in by_pk}
    for service in chosen.filter(rank__lte=EXAMPLES).order_by("rank"):
        home = by_pk[service.home_category_id]
        if service.upstream_category_id is None:
            service.category = home
        else:
            service.upstream_category = home
        examples[home.pk].append(_example(service, book))
    charged = _charged(categories)
    return [Question(category, examples[category.pk], charged.get(category.pk)) for category in categories]


def _example(service: Service, book: PriceBook) -> Example:
    assumed = service.rate_per
    readings = []
    for unit in UNITS:
        service.rate_per_override = unit  # never saved
        cost = book.cost_upstream_micros(service, service.min_quantity)
        readings.append(Reading(unit, cost, book.price_micros(service, service.min_quantity), unit == assumed))
    service.rate_per_override = None
    return Example(service, readings)


def _charged(categories: list[Category]) -> dict[int, Charged]:
    """The newest order of each category for which upstream took money, by the category's id."""
    lately = Order.objects.filter(created_at__gte=timezone.now() - CHARGED_WITHIN, service__rate_per_override=None)
    mine = lately.alias(home=home_id("service__")).filter(home=OuterRef("pk"))
    whole = mine.filter(charge_upstream_micros__gt=0).exclude(status__in=REDUCED).order_by("-pk")
    newest = dict(
        Category.objects.filter(pk__in=[category.pk for category in categories])
        .annotate(newest=Subquery(whole.values("pk")[:1]))
        .values_list("pk", "newest")
    )
    orders = Order.objects.in_bulk([pk for pk in newest.values() if pk is not None])
    return {pk: _fitted(orders[order_pk]) for pk, order_pk in newest.items() if order_pk in orders}


def _fitted(order: Order) -> Charged:
    charge = order.charge_upstream_micros or 0
    costs = [-(-order.rate_upstream_micros * order.quantity // unit) for unit in UNITS]
    fits = [charge_matches(charge, cost) for cost in costs]
    return Charged(order, fits if fits != [True, True] else [False, False])  # what fits both proves nothing
