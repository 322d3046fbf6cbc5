"""The admin as a whole: who may come in, its sidebar, and the overview on its first page."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from catalog.models import Category, SyncRun
from catalog.sync.service_types import unknown_types
from orders.fulfilment.solvency import forecast
from orders.models import OPEN, ForwardingPause, Order, Status
from storefront import __version__
from storefront.admin_navigation import ENTRIES, GROUPS, MONEY_REQUESTS, Entry
from storefront.preference_pages import admin as preferences_admin  # noqa: F401 - registers it
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured
from upstream.limits.limiter import Down


def sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Lead to the shop's own sign-in, whatever is posted here: its limits and second factor guard the admin as well."""
    page = get_next_redirect_url(request) or reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(page)
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return HttpResponseRedirect(page)


def change_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Lead to the shop's own page: it asks for a fresh sign-in, and tells of it by mail."""
    return HttpResponseRedirect(reverse("account_change_password"))


_apps_of = admin.site.get_app_list


def list_apps(request: HttpRequest, app_label: str | None = None) -> Any:
    """Return the apps' models as Django does, put together once somebody looks.

    Every page's context carries them, few pages show them, and asking sixty models for their addresses and this
    person's rights was a third of a page's time.
    """
    return SimpleLazyObject(lambda: _apps_of(request, app_label))


# The theme has put its own site in the place of Django's, one object. What differs here is set on it, which mypy takes
# for a slip: it knows methods of classes alone.
admin.site.get_app_list = list_apps  # type: ignore[method-assign]  # on the one site, see above
admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign, assignment]

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for this person: the groups of `admin_navigation`, without what they may not see."""
    groups = []
    for title, entries in GROUPS:
        items = [_item(request, entry) for entry in entries]
        if shown := [item for item in items if item["allowed"]]:
            groups.append({"title": title, "separator": True, "items": shown})
    return groups


def on_every_page(request: HttpRequest) -> dict[str, str]:
    """Return what every page of the admin may show: the version, at its end."""
    return {"version": __version__}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview to the first page: open orders, what needs a human, pauses and the last syncs."""
    if not request.user.has_perm("orders.view_order"):
        return context
    by_status = dict(
        Order.objects.open().order_by().values_list("status").annotate(count=Count("pk"))  # no ordering: it would group
    )
    orders_page = reverse("admin:orders_order_changelist")
    context["overview"] = {
        "open": [
            {
                "label": Status(status).label,
                "count": by_status.get(status, 0),
                "link": f"{orders_page}?status__exact={status}",
            }
            for status in OPEN
        ],
        "attention": Order.objects.needing_attention().count(),
        "attention_link": f"{orders_page}?attention=yes",
        "pauses": ForwardingPause.objects.filter(ended_at=None),
        "pauses_link": reverse("admin:orders_forwardingpause_changelist"),
        "upstream_down": _upstream_down(),
        "money": forecast(now=timezone.now()),
        "currency": settings.UPSTREAM_CURRENCY,
        "unconfirmed": Category.objects.filter(rate_confirmed_at=None).count(),
        "unconfirmed_link": reverse("admin:orders_rateunitquestion_changelist"),
        "unknown_types": _unknown_types(),
        "money_requests": _item(request, MONEY_REQUESTS),
        "held_back": SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED),
        "syncs": [run for kind in SyncRun.Kind for run in SyncRun.objects.filter(kind=kind)[:1]],
    }
    return context


def _unknown_types() -> list[Item]:
    """Types upstream has on sale and the shop has no order form for: shown to customers, not orderable."""
    page = reverse("admin:catalog_service_changelist")
    return [
        {"type": word, "count": count, "link": f"{page}?{urlencode({'type__exact': word})}"}
        for word, count, _example in unknown_types()
    ]


def _upstream_down() -> Down | None:
    """Since when calls upstream pause because it does not answer."""
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        return None
    return None if limiter is None else limiter.down()


def _item(request: HttpRequest, entry: Entry) -> Item:
    """Return an entry as the theme wants it, with the number of rows that wait for somebody."""
    app, model = entry.model.split(".")
    allowed = request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")
    count = entry.waiting() if entry.waiting and allowed else 0
    query = entry.query or (entry.waiting_query if count else "")
    item = {
        "title": entry.title,
        "icon": entry.icon,
        "link": f"{_address(entry)}?{query}" if query else _address(entry),
        "allowed": allowed,
        "count": count,
        "badge": str(count) if count else "",
        "badge_variant": entry.badge,
    }
    # Of several entries for one model only one is lit; where there is one, the theme lights it by itself.
    parts = [other for other in ENTRIES if other.model == entry.model and (other.query or other.page)]
    if parts:
        item["active"] = _is_here(request, entry) and (entry in parts or not any(_is_here(request, p) for p in parts))
    return item


def _address(entry: Entry) -> str:
    return reverse(f"admin:{entry.page or entry.model.replace('.', '_') + '_changelist'}")


def _is_here(request: HttpRequest, entry: Entry) -> bool:
    """Say whether the page asked for is this entry's: its list or part of one with the pages below, or its own page."""
    if entry.page:
        return request.path == _address(entry)
    return request.path.startswith(_address(entry)) and set(parse_qsl(entry.query)) <= set(request.GET.items())
