"""The admin as a whole: who may come in, its sidebar, and the overview on its first page."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from catalog.models import Category, SyncRun
from catalog.sync.service_types import unknown_types
from orders.fulfilment.solvency import forecast
from orders.models import OPEN, ForwardingPause, Order, Status
from storefront import __version__
from storefront.admin_sidebar import advanced
from storefront.preference_pages import admin as preferences_admin  # noqa: F401 - registers it
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured
from upstream.limits.limiter import Down
from wallet.models import MoneyRequest


def sign_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Lead to the shop's own sign-in, whatever is posted here: its limits and second factor guard the admin as well."""
    page = get_next_redirect_url(request) or reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(page)
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return HttpResponseRedirect(page)


def no_app_page(request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
    """Lead to the first page: an app is no place of its own here."""
    return HttpResponseRedirect(reverse("admin:index"))


def own_pages() -> list[URLPattern]:
    """Return the addresses that belong to no model."""
    return [path("advanced/", admin.site.admin_view(advanced), name="advanced")]


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
admin.site.app_index = no_app_page  # type: ignore[method-assign, assignment]
admin.site.extra_urls = own_pages  # type: ignore[attr-defined]
admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign, assignment]

Item = dict[str, Any]


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
        "money_requests": MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING).count(),
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
