"""The admin as a whole: who may come in, and which of the theme's pages it has or does not have."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.admin.fresh_sign_in import confirmed_page
from accounts.admin.recorded import watched_page
from storefront import __version__
from storefront.admin_search import search
from storefront.admin_sidebar import advanced
from storefront.money_desk.pages import money_desk, money_file
from storefront.preference_pages import admin as preferences_admin  # noqa: F401 - registers it
from storefront.set_up.pages import prices_part, set_up, sync_part


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
    """Return the addresses that belong to no model, each of them watched for the trail."""
    inside = admin.site.admin_view
    return [
        path("advanced/", inside(watched_page(advanced)), name="advanced"),
        path("set-up/", inside(confirmed_page(watched_page(set_up))), name="set_up"),
        path("set-up/sync/", inside(watched_page(sync_part)), name="set_up_sync"),
        path("money/", inside(watched_page(money_desk)), name="money_desk"),
        path("money/file/<int:pk>/", inside(watched_page(money_file)), name="money_file"),
        path("set-up/prices/", inside(watched_page(prices_part)), name="set_up_prices"),
    ]


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
admin.site.index_title = _("Home")
admin.site.app_index = no_app_page  # type: ignore[method-assign, assignment]
admin.site.extra_urls = own_pages  # type: ignore[attr-defined]
admin.site.search = search  # type: ignore[attr-defined]  # the theme's, which knows apps and models
admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign, assignment]


def on_every_page(request: HttpRequest) -> dict[str, str]:
    """Return what every page of the admin may show: the version, at its end."""
    return {"version": __version__}
