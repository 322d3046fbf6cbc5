"""The page of what changed, and its feed."""

from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import PageRequest
from accounts.models import User
from accounts.paging import open_page
from catalog.browse.category_index import category_index
from catalog.browse.changes import Change, changes, lines
from catalog.browse.forms import whole_number
from catalog.browse.groups import by_group
from catalog.caching.page_cache import cached_page
from catalog.caching.version import recent_version
from catalog.models import ServiceNews
from catalog.operations.service_news import SHOWN_DAYS
from preferences.face import STORE_NAME

LINES_PER_PAGE, ENTRIES = 50, 100


@cached_page("kind", "category", "page", tells_stock=False)
@require_safe
def changes_page(request: PageRequest) -> HttpResponse:
    """Show what changed in the last days, of one kind or category if the reader asks."""
    index = category_index(recent_version())
    kind = request.GET.get("kind", "")
    kind = kind if kind in ServiceNews.Kind.values else ""
    category = index.category(whole_number(request.GET.get("category", "")))
    user = request.user if isinstance(request.user, User) else None
    rows = changes(index, today=timezone.localdate(), kind=kind, category=category)
    page = open_page(rows, request.GET.dict(), LINES_PER_PAGE)
    context = {
        "page": page,
        "changes": lines(page.rows, index, user, _language()),
        "kind": kind,
        "kinds": ServiceNews.Kind.choices,
        "category": category,
        "groups": by_group(index.on_sale),
        "days": SHOWN_DAYS,
        "is_narrowed": bool(kind or category),
    }
    return render(request, "catalog/changes.html", context)


class ChangesFeed(Feed):
    """The newest changes for programs that read feeds; prices are those of visitors."""

    feed_type = Atom1Feed

    def title(self) -> str:
        return _("%(store)s: what changed") % {"store": STORE_NAME.value}

    def subtitle(self) -> str:
        return _("New, returned, cheaper and dearer services, and those that are no longer sold.")

    def link(self) -> str:
        return settings.SITE_URL + reverse("changes")

    def feed_url(self) -> str:
        return settings.SITE_URL + reverse("changes_feed")

    def author_name(self) -> str:
        return STORE_NAME.value  # Atom asks for an author: RFC 4287, section 4.1.1

    def feed_guid(self) -> str:
        return self.link()

    def items(self) -> list[tuple[ServiceNews, Change]]:
        index = category_index(recent_version())
        rows = list(changes(index, today=timezone.localdate())[:ENTRIES])
        return list(zip(rows, lines(rows, index, None, _language()), strict=True))

    def item_title(self, item: tuple[ServiceNews, Change]) -> str:
        return f"{item[1].label}: {item[1].name}"

    def item_description(self, item: tuple[ServiceNews, Change]) -> str:
        change = item[1]
        # What reads feeds takes this for HTML, and names of categories come from elsewhere.
        return escape(" · ".join(filter(None, (change.category, f"{change.price} {change.unit}".strip()))))

    def item_link(self, item: tuple[ServiceNews, Change]) -> str:
        return settings.SITE_URL + item[1].url

    def item_guid(self, item: tuple[ServiceNews, Change]) -> str:
        row, change = item
        return f"{settings.SITE_URL}{change.url}#{row.day:%Y-%m-%d}-{row.kind}"

    def item_pubdate(self, item: tuple[ServiceNews, Change]) -> Any:
        return item[1].day

    def item_updateddate(self, item: tuple[ServiceNews, Change]) -> Any:
        return item[1].day


_feed = ChangesFeed()


@cached_page(tells_stock=False)
@require_safe
def changes_feed(request: HttpRequest) -> HttpResponse:
    """Return the newest changes as an Atom feed."""
    return _feed(request)


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
