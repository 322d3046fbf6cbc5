"""What the palette finds for the letters typed so far: little of each kind, the best of it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from catalog.browse.search import first_found
from catalog.words.vocabulary import closest_words
from orders.models import Order
from sms.queries import search, words
from storefront.palette.pages import document_pages, pages_for
from upstream.reading.text import comparable, line

LONGEST = 100
MAX_PAGES, MAX_SERVICES, MAX_SITES, MAX_ORDERS = 5, 6, 3, 5
SHORTEST = 2  # letters, before anything but pages is looked for; a digit is enough


@dataclass(frozen=True)
class Option:
    """A line of the palette: where it leads, and what is said of it on the right."""

    title: str
    address: str
    icon: str
    note: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Lines of one kind under a heading."""

    name: str
    title: str
    options: list[Option]


def found_for(typed: str, user: User | None) -> list[Group]:
    """Return what fits the words, in groups without empty ones; before anything is typed all pages and open orders.

    Orders are the reader's own. Six queries at most, and one more for each try where words seem to be mistyped.
    """
    typed = line(typed.replace("\x00", " "))[:LONGEST]
    plain = comparable(typed)
    if not plain:
        groups = [_pages([], user), _orders("", user)]
    elif len(plain) < SHORTEST and not plain.isdigit():
        groups = [_pages([plain], user), _everything(typed)]
    else:
        groups = [
            _pages(plain.split(), user),
            _orders(typed, user),
            _services(typed),
            _sites(typed),
            _everything(typed),
        ]
    return [group for group in groups if group.options]


def _pages(each: list[str], user: User | None) -> Group:
    pages = [*pages_for(user), *(document_pages() if each else ())]
    fitting = [page for page in pages if page.has(each)]
    options = [
        Option(str(page.title), page.address, page.icon, keys=tuple(page.each_key))
        for page in (fitting[:MAX_PAGES] if each else fitting)
    ]
    return Group("pages", _("Pages"), options)


def _orders(typed: str, user: User | None) -> Group:
    title = pgettext("menu", "My orders")
    if user is None:
        return Group("orders", title, [])
    own = Order.objects.filter(user=user)
    orders = (own.matching(typed) if typed else own.open()).newest_first()[:MAX_ORDERS]
    options = [
        Option(f"#{order.pk} {order.title}", reverse("orders:detail", args=[order.pk]), "receipt", order.link)
        for order in orders
    ]
    return Group("orders", title, options)


def _services(typed: str) -> Group:
    services = first_found(typed, MAX_SERVICES)
    for meant in closest_words(typed)[:2] if not services else ():
        services = services or first_found(meant, MAX_SERVICES)
    options = [
        Option(service.title, reverse("orders:place", args=[service.pk]), "box", service.category.shown_as.title)
        for service in services
    ]
    return Group("services", _("Services"), options)


def _sites(typed: str) -> Group:
    sites = words.matching(search.sites_on_sale(), typed)[:MAX_SITES]
    options = [Option(site.title, reverse("sms:site", args=[site.pk]), "phone") for site in sites]
    return Group("numbers", pgettext("menu", "SMS numbers"), options)


def _everything(typed: str) -> Group:
    text = _("Search all services for “%(words)s”") % {"words": typed}
    address = f"{reverse('catalog:search')}?{urlencode({'q': typed})}"
    return Group("everything", _("Search"), [Option(text, address, "search")])
