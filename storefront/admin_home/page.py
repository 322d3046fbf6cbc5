"""What the first page of the admin is given, by what its reader may see; some seconds old perhaps."""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from accounts.admin.widgets import may_see, member_of_staff
from accounts.rights import is_owner
from catalog.caching.versioned_cache import cache_key
from storefront.admin_home import figures
from storefront.admin_home.health import health_of_shop
from storefront.admin_home.lines import Survey
from storefront.admin_home.queue import KINDS, waiting
from storefront.set_up.progress import is_open, next_step, standings

CACHE_SECONDS = 5
# Parts of the page that are no queue, and what each needs.
SECTIONS = {
    "health": "orders.view_order",
    "balance": "orders.view_upstreambalance",
    "books": "orders.view_books",
    "customers": "accounts.view_user",
    "services": "catalog.view_service",
    "numbers": "sms.view_number",
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the home page to the context of the admin's first page."""
    now, rights = timezone.now(), rights_of(request.user)
    # Whoever may see the same reads the same.
    key = cache_key("admin-home", get_language(), *sorted(rights))
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = read_page(rights, now=now)
        cache.set(key, found, timeout=CACHE_SECONDS)
    context["home"] = {**found, "queue": found["queue"].shown_to(request.user, now=now)}
    if is_open() and is_owner(member_of_staff(request)):
        steps = standings()
        context["set_up"] = {"next": next_step(steps), "left": sum(not step.is_settled for step in steps)}
    return context


def rights_of(user: Any) -> frozenset[str]:
    """Return the names of the sections and of the kinds of the queue that somebody may see."""
    sections = {name for name, permission in SECTIONS.items() if user.has_perm(permission)}
    return frozenset(sections | {f"queue:{kind.name}" for kind in KINDS if may_see(user, kind.model)})


def read_page(rights: frozenset[str], *, now: datetime) -> dict[str, Any]:
    """Return the page for these rights, read anew: about forty statements for who may see everything."""
    survey = Survey(now)
    kinds = {kind.name for kind in KINDS if f"queue:{kind.name}" in rights}
    page: dict[str, Any] = {"queue": waiting(survey, kinds), "reads_queue": bool(kinds)}
    if "health" in rights:
        page["health"] = health_of_shop(survey, shows_balance="balance" in rights)
        page["is_well"] = all(part.is_well for part in page["health"])
    page["today"] = [
        *(figures.books_of_today(now) if "books" in rights else ()),
        *(figures.customers_of_today(now) if "customers" in rights else ()),
        *(figures.numbers_of_today(now) if "numbers" in rights else ()),
    ]
    if "books" in rights:
        page["days"] = figures.thirty_days(now)
    if "services" in rights:
        page["best_services"] = figures.best_services()
    if "numbers" in rights:
        page["best_numbers"] = figures.best_numbers(now)
    return page
