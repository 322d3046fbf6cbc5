"""The shop of numbers: a website or app first, or a country first; buying stands beside every price."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import (
    PageRequest,
    ask_to_sign_in,
    personal_page,
    wants_part,
)
from accounts.models import User
from accounts.templatetags.money import money
from orders.models import Order
from orders.placing.refusals import OrderRefused, PriceChanged, RequestIdReused
from sms.country_rows import country_called
from sms.merging import find_row
from sms.models import Country, Project, ProjectQuerySet, Site
from sms.operations import buy_numbers
from sms.pages.forms import BuyNumberForm, Offer
from sms.pricing import NumberBook, number_book
from sms.queries import search, words
from sms.queries.search import Asked
from wallet.operations import InsufficientFunds

TILES_PER_PAGE = 48
OFFERS_PER_PAGE = 30
MAX_POPULAR = 8
MAX_RECENT = 4
MAX_FOUND = 12
MAX_CLOSE = 2


@personal_page
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """List what numbers can be had for, or where; or what fits the words that are being typed."""
    asked, book = Asked.read(request.GET), number_book(request.user)
    context: dict[str, Any] = {"asked": asked, "recent": [], "popular": []}
    if asked.words:
        context |= _understood(asked, book)
        return _page(request, "sms/home.html", context)
    page = _tiles_page(request, asked, book)
    if page.number == 1:
        recent = search.recent_projects(request.user)[:MAX_RECENT]
        context["recent"] = _offers(search.whole(recent), book)
        context["popular"] = _popular(asked, book)
    return _page(request, "sms/home.html", {**context, "page": page})


@personal_page
@require_safe
def site(request: PageRequest, pk: int) -> HttpResponse:
    """List the countries in which a website or app can be had."""
    shown = find_row(Site.objects.filter(visible=True, forbidden=False), pk)
    if shown is None:
        raise Http404
    if shown.pk != pk:
        return redirect("sms:site", shown.pk, permanent=True)
    asked = Asked.read(request.GET)
    projects = Project.objects.on_sale().filter(site=shown)
    return _offers_page(request, asked, projects, "site", {"site": shown, "heading": shown.title})


@personal_page
@require_safe
def country(request: PageRequest, code: str) -> HttpResponse:
    """List what can be had in a country."""
    if "\0" in code:  # PostgreSQL refuses the question
        raise Http404
    shown = country_called(code)
    if shown is None or not shown.visible:
        raise Http404
    asked = Asked.read(request.GET)
    projects = Project.objects.on_sale().filter(country=shown)
    return _offers_page(request, asked, projects, "country", {"country": shown, "heading": shown.display_name})


@personal_page
@require_http_methods(["GET", "HEAD", "POST"])
def buy(request: PageRequest, project_id: int) -> HttpResponse:
    """Show one project alone, and buy numbers for it; a refusal is said beside the button."""
    # What is sold no more is no page, but a page that was open already is told so beside its button.
    projects = Project.objects.all() if request.method == "POST" else Project.objects.on_sale()
    project = find_row(projects.select_related("country", "site", "success"), project_id)
    if project is None:
        raise Http404
    if project.pk != project_id and request.method != "POST":
        return redirect("sms:buy", project.pk, permanent=True)
    if request.method != "POST":
        form = BuyNumberForm(project=project)
    elif not isinstance(request.user, User):
        return ask_to_sign_in(request)
    else:
        form = BuyNumberForm(request.POST, project=project, user=request.user)
        orders = _buy(request.user, form) if form.is_valid() else None
        if orders:
            bought = ngettext("The number is on its way.", "The %(count)s numbers are on their way.", len(orders))
            messages.success(request, bought % {"count": len(orders)})
            where = reverse("sms:waiting")
            return HttpResponseClientRedirect(where) if wants_part(request) else redirect(where)
    [offer] = _offers([project], number_book(request.user), form)
    # A list that sells by htmx says what it is about, so that the row comes back as it was.
    context = {"offer": offer, "about": request.GET.get("about", ""), "days": settings.SMS_SUCCESS_DAYS}
    return render(request, "sms/buy.html#offer" if wants_part(request) else "sms/buy.html", context)


def _buy(user: User, form: BuyNumberForm) -> list[Order] | None:
    """Buy what a valid form asks for; a refusal becomes an error of the form."""
    try:
        return buy_numbers(user=user, project=form.project, **form.request())
    except PriceChanged as change:
        price = money(change.rate_micros)
        form.add_error(
            None, _("The price has changed: it is now %(price)s. Buy again to accept it.") % {"price": price}
        )
    except RequestIdReused:
        form.renew()
        form.add_error(None, _("You have already bought numbers from this page. Buy again to get more."))
    except OrderRefused as refusal:
        form.add_error("quantity" if refusal.field == "quantity" else None, str(refusal))
    except InsufficientFunds as short:
        text = _("You're %(amount)s short. Nothing has been charged.")
        link = format_html('<a href="{}">{}</a>', reverse("wallet:home"), _("Add money"))
        form.add_error(None, format_html("{} {}", text % {"amount": money(short.missing_micros)}, link))
    return None


def _offers(projects: Iterable[Project], book: NumberBook, form: BuyNumberForm | None = None) -> list[Offer]:
    return [
        Offer(
            project,
            book.price_micros(project),
            form or BuyNumberForm(project=project),
            success=search.success_of(project),
        )
        for project in projects
    ]


def _lines(groups: Iterable[list[int]], book: NumberBook) -> list[Offer]:
    """Return an offer for each group of projects of one website or app in one country: the cheapest, with the rest."""
    groups = list(groups)
    offers = {offer.project.pk: offer for offer in _offers(search.whole(chain.from_iterable(groups)), book)}
    lines = []
    for ids in groups:
        cheapest_first = sorted((offers[pk] for pk in ids if pk in offers), key=lambda offer: offer.price_micros)
        if cheapest_first:
            lines.append(replace(cheapest_first[0], others=tuple(cheapest_first[1:])))
    return lines


def _tiles_page(request: PageRequest, asked: Asked, book: NumberBook) -> Page:
    """Return a page of tiles: countries, or websites and apps, from A to Z."""
    if asked.by_country:
        # In the reader's language, and so sorted here: there are some two hundred.
        rows: Any = sorted(search.countries_on_sale(), key=lambda row: row.display_name)
    else:
        rows = search.sites_on_sale().order_by("name")
    page = Paginator(rows, TILES_PER_PAGE).get_page(request.GET.get("page"))
    make = search.tiles_of_countries if asked.by_country else search.tiles_of_sites
    page.object_list = make(page.object_list, book)
    return page


def _popular(asked: Asked, book: NumberBook) -> list[search.Tile]:
    if asked.by_country:
        return search.tiles_of_countries(search.popular(Country, MAX_POPULAR), book)
    return search.tiles_of_sites(search.popular(Site, MAX_POPULAR), book)


def _understood(asked: Asked, book: NumberBook) -> dict[str, Any]:
    """Return what the words find, or else those that were probably meant; and where nothing does, what would."""
    found = _found(asked.words, book)
    if not _is_empty(found):
        return found
    among = search.sites_on_sale(), search.countries_on_sale()
    close = words.closest_words(asked.words, *among)
    for meant in () if asked.exact else close:
        found = _found(meant, book)
        if not _is_empty(found):
            return {**found, "meant": meant}
    fewer = [*close[:MAX_CLOSE], *words.fewer_words(close[0] if close else asked.words, *among)]
    suggested = [word for word in dict.fromkeys(fewer) if word != asked.words and not _is_empty(_found(word, book))]
    return {**found, "suggested": _suggested(suggested), "popular": _popular(asked, book)}


def _found(typed: str, book: NumberBook) -> dict[str, Any]:
    """Return what fits the words: websites and apps, countries, and numbers for one in the other."""
    sites = words.matching(search.sites_on_sale(), typed)[: MAX_FOUND + 1]
    countries = words.matching(search.countries_on_sale(), typed)[: MAX_FOUND + 1]
    of_sites, of_countries = search.tiles_of_sites(sites, book), search.tiles_of_countries(countries, book)
    return {
        "sites": of_sites[:MAX_FOUND],
        "countries": of_countries[:MAX_FOUND],
        "offers": _lines(words.mixed(typed, MAX_FOUND), book),
        "more": max(len(of_sites), len(of_countries)) > MAX_FOUND,
    }


def _is_empty(found: dict[str, Any]) -> bool:
    return not (found["sites"] or found["countries"] or found["offers"])


def _suggested(texts: Iterable[str]) -> list[dict[str, str]]:
    return [{"label": text, "url": f"?{urlencode({'q': text})}"} for text in texts]


def _narrowed(asked: Asked, projects: ProjectQuerySet, about: str) -> tuple[ProjectQuerySet, dict[str, Any]]:
    """Return those of a website's projects in the countries the words find, or of a country's for the websites.

    With them what the page says of the words: which were taken for them, or which others would find something.
    """
    if not asked.words:
        return projects, {}
    other: type[Site] | type[Country]
    key, other = ("country", Country) if about == "site" else ("site", Site)
    rows = other._default_manager.filter(pk__in=projects.values(key)).order_by()

    def of(typed: str) -> ProjectQuerySet:
        return projects.filter(**{f"{key}__in": words.matching(rows, typed).values("pk")})

    if of(asked.words).exists():
        return of(asked.words), {}
    close = words.closest_words(asked.words, rows)
    if not asked.exact:
        meant = next((typed for typed in close if of(typed).exists()), None)
        if meant is not None:
            return of(meant), {"meant": meant}
    fewer = [*close[:MAX_CLOSE], *words.fewer_words(close[0] if close else asked.words, rows)]
    suggested = [word for word in dict.fromkeys(fewer) if word != asked.words and of(word).exists()]
    return projects.none(), {"suggested": _suggested(suggested)}


def _offers_page(
    request: PageRequest, asked: Asked, projects: ProjectQuerySet, about: str, context: dict[str, Any]
) -> HttpResponse:
    book = number_book(request.user)
    recent = search.recent_projects(request.user)
    projects, understood = _narrowed(asked, projects, about)
    found = search.listed(projects, book, sort=asked.sort, recent=recent)
    lines = search.by_place(one.place for one in found)
    page = Paginator(lines, OFFERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {**context, **understood, "about": about, "asked": asked, "page": page, "offers": _lines(page, book)}
    return _page(request, "sms/offers.html", context)


def _page(request: PageRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    context["days"] = settings.SMS_SUCCESS_DAYS
    if "meant" in context:
        very_words = request.GET.copy()
        very_words["exact"] = "1"
        very_words.pop("page", None)
        context["as_typed_url"] = f"?{very_words.urlencode()}"
    return render(request, f"{template}#results" if wants_part(request) else template, context)
