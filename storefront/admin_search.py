"""One box for the whole admin: pages by their names, and orders, customers, payments … by whatever was typed.

Each list is asked as its own search box would be, so it knows a number from an address; see
`orders.admin.order_search`. The theme shows the answer, as it does its own.
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from accounts.admin.list_search import looked_up_once
from storefront.admin_navigation import GROUPS
from storefront.admin_sidebar import address, allowed, technical_tables
from upstream.reading.text import comparable, line

SHOWN_OF_EACH = 5
FEWEST_CHARACTERS = 2


@dataclass(frozen=True)
class Searched:
    """A model whose rows are looked for, "app.model", and what picture a row has (a name of Material Symbols)."""

    model: str
    icon: str


SEARCHED = (
    Searched("orders.order", "shopping_cart"),
    Searched("accounts.user", "person"),
    Searched("wallet.topup", "payments"),
    Searched("support.ticket", "forum"),
    Searched("sms.number", "sms"),
    Searched("catalog.service", "sell"),
)


def search(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Answer what was typed into the box of the sidebar; nothing while it is too short to mean anything."""
    typed = line(request.GET.get("s", ""))
    if len(typed) < FEWEST_CHARACTERS and not typed.isdecimal():
        return HttpResponse()
    began = time.monotonic()
    found = [*_pages_called(request, typed), *_rows_found(request, typed)]
    pages = Paginator(found, max(len(found), 1))
    context = {"page_obj": pages, "results": pages.page(1), "page_counter": 0}
    context["execution_time"] = time.monotonic() - began
    answer = TemplateResponse(request, "unfold/helpers/command_results.html", context)
    answer["HX-Trigger"] = "search"  # the theme's box waits for it
    return answer


def _pages_called(request: HttpRequest, typed: str) -> list[SearchResult]:
    """Return the lists and pages whose names have all the words."""
    words = comparable(typed).split()
    named = [(entry, str(topic.title)) for _title, topics in GROUPS for topic in topics for entry in topic.entries]
    named += [(entry, _("Advanced")) for entry in technical_tables()]
    found = []
    for entry, topic in named:
        name = comparable(f"{entry.title} {topic}")
        if words and all(word in name for word in words) and allowed(request, entry):
            found.append(SearchResult(str(entry.title), topic, address(entry), "list"))
    return found[: 2 * SHOWN_OF_EACH]


def _rows_found(request: HttpRequest, typed: str) -> list[SearchResult]:
    by_label: dict[str, Any] = {model._meta.label_lower: pages for model, pages in admin.site._registry.items()}
    with looked_up_once():
        found = [result for one in SEARCHED for result in _of(request, by_label[one.model], one, typed)]
    return sorted(
        found, key=lambda result: result.title.casefold() != typed.casefold()
    )  # what is called so comes first


def _of(request: HttpRequest, pages: Any, one: Searched, typed: str) -> list[SearchResult]:
    if not pages.has_view_permission(request):
        return []
    found, _repeats = pages.get_search_results(request, pages.get_queryset(request), typed)
    rows = list(found.order_by("-pk")[: SHOWN_OF_EACH + 1])
    name, listed = one.model.replace(".", "_"), capfirst(str(pages.opts.verbose_name))
    results = [
        SearchResult(str(row), listed, reverse(f"admin:{name}_change", args=[row.pk]), one.icon)
        for row in rows[:SHOWN_OF_EACH]
    ]
    if len(rows) > SHOWN_OF_EACH:
        title = _("All %(rows)s that match") % {"rows": pages.opts.verbose_name_plural}
        query = urlencode({"q": typed})
        results.append(SearchResult(title, listed, f"{reverse(f'admin:{name}_changelist')}?{query}", "manage_search"))
    return results
