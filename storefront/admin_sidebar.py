"""The admin's sidebar, the tabs above its lists, and the page of its technical tables, as each person may see them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.admin.widgets import may_see
from storefront.admin_advanced import ADVANCED
from storefront.admin_navigation import GROUPS, Entry, Topic

Item = dict[str, Any]
COUNTS = "_waiting_counts"  # on the request: sidebar and tabs show the same ones


def navigation(request: HttpRequest) -> list[Item]:
    """Return the sidebar for this person: the topics of `admin_navigation`, without what they may not see."""
    groups = [(title, [_line(request, topic) for topic in topics]) for title, topics in GROUPS]
    groups[0][1].insert(0, _own_page(request, "index", _("Home"), "home"))
    if any(allowed(request, entry) for entry in technical_tables()):
        groups[-1][1].append(_advanced_line(request))
    shown = [(title, [line for line in lines if line]) for title, lines in groups]
    return [{"title": title, "separator": bool(title), "items": lines} for title, lines in shown if lines]


def tabs(request: HttpRequest) -> list[Item]:
    """Return, for the lists of each topic with several of them, the tabs that lead from one to another."""
    found = []
    for _title, topics in GROUPS:
        for topic in topics:
            entries = [entry for entry in topic.entries if allowed(request, entry)]
            # Their counts cost statements: only the topic that is looked at needs them.
            if len(entries) > 1 and (here := _entry_here(request, entries)):
                found.append(
                    {
                        "models": sorted({entry.model for entry in entries}),
                        "page": here.page,
                        "items": [_tab(request, entry, is_here=entry is here) for entry in entries],
                    }
                )
    return found


def advanced(request: HttpRequest) -> HttpResponse:
    """Show the technical tables this person may see, with what each is for."""
    groups = []
    for title, entries in ADVANCED:
        if shown := [
            {"title": entry.title, "about": entry.about, "link": address(entry)}
            for entry in entries
            if allowed(request, entry)
        ]:
            groups.append({"title": title, "tables": shown})
    title = _("Advanced")
    context = {**admin.site.each_context(request), "title": title, "content_title": title, "groups": groups}
    return render(request, "admin/advanced.html", context)


def technical_tables() -> list[Entry]:
    """Return the entries that stand on the page of technical tables alone."""
    return [entry for _title, entries in ADVANCED for entry in entries]


def allowed(request: HttpRequest, entry: Entry) -> bool:
    """Say whether this person may see an entry's rows."""
    return may_see(request.user, entry.model)


def address(entry: Entry) -> str:
    """Return where an entry leads."""
    link = reverse(f"admin:{entry.page}") if entry.page else _list_of(entry)
    return f"{link}?{entry.query}" if entry.query else link


def _line(request: HttpRequest, topic: Topic) -> Item | None:
    """Return a topic as the theme wants it: it leads to the first of its lists that this person may see."""
    entries = [entry for entry in topic.entries if allowed(request, entry)]
    if not entries:
        return None
    waiting = [entry for entry in entries if _count(request, entry)]
    count, link = sum(_count(request, entry) for entry in waiting), address(entries[0])
    if entries[0] in waiting and entries[0].waiting_query:
        link = f"{link}?{entries[0].waiting_query}"
    return {
        "title": topic.title,
        "icon": topic.icon,
        "link": link,
        "badge": str(count) if count else "",
        "badge_variant": "danger" if any(entry.badge == "danger" for entry in waiting) else "warning",
        "active": _entry_here(request, entries) is not None,
    }


def _advanced_line(request: HttpRequest) -> Item:
    line = _own_page(request, "advanced", _("Advanced"), "database")
    return {**line, "active": line["active"] or _entry_here(request, technical_tables()) is not None}


def _own_page(request: HttpRequest, name: str, title: Any, icon: str) -> Item:
    link = reverse(f"admin:{name}")
    return {"title": title, "icon": icon, "link": link, "badge": "", "active": request.path == link}


def _tab(request: HttpRequest, entry: Entry, *, is_here: bool) -> Item:
    count, link = _count(request, entry), address(entry)
    # As a function: by links that are text the theme would light lines of the sidebar on its own account.
    return {
        "title": f"{entry.title} ({count})" if count else entry.title,
        "link": lambda _request: link,
        "active": is_here,
    }


def _entry_here(request: HttpRequest, entries: Iterable[Entry]) -> Entry | None:
    """Return which of the entries the page asked for belongs to: the one that says most of it."""
    here = [entry for entry in entries if _is_here(request, entry)]
    return max(here, key=lambda entry: bool(entry.query or entry.page), default=None)


def _is_here(request: HttpRequest, entry: Entry) -> bool:
    """Say whether the page asked for is this entry's: its list or part of one with the pages below, or its own page."""
    if entry.page:
        return request.path == address(entry)
    return request.path.startswith(_list_of(entry)) and set(parse_qsl(entry.query)) <= set(request.GET.items())


def _list_of(entry: Entry) -> str:
    return reverse(f"admin:{entry.model.replace('.', '_')}_changelist")


def _count(request: HttpRequest, entry: Entry) -> int:
    """Return how many rows of an entry wait for somebody, asked once a request."""
    if entry.waiting is None:
        return 0
    counts: dict[Entry, int] = request.__dict__.setdefault(COUNTS, {})
    if entry not in counts:
        counts[entry] = entry.waiting()
    return counts[entry]
