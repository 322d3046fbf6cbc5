"""Components with many inputs as tags of their own: `{% confirm label=label question=question … %}`.

What `{% include "components/….html" with … only %}` would need more than one readable line for. As there, a component
sees nothing but its inputs; an input that it does not have is an error.
"""

from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.safestring import mark_safe

from accounts.access import reader_mark
from accounts.form_problems import Problem, problems_in
from accounts.templatetags.money import money
from catalog.caching.above import above
from support.documents.known import KNOWN
from support.documents.words import filled_plain

register = template.Library()

Inputs = dict[str, Any]


@register.simple_tag
def admin_address() -> str:
    """Where staff works: a path, or a whole address where the admin has a host of its own."""
    return (settings.ADMIN_URL if settings.ADMIN_HOST else "") + reverse("admin:index")


@register.simple_tag(takes_context=True)
def bars_above(context: template.Context) -> str:
    """What the reader is told at the head of every page; nothing where a page is made for nobody in particular."""
    request = context.get("request")
    return mark_safe(above(request).html) if request is not None and hasattr(request, "user") else ""  # noqa: S308


@register.inclusion_tag("components/breadcrumbs.html")
def breadcrumbs(
    *, here: str, first_url: str = "", first_label: str = "", second_url: str = "", second_label: str = ""
) -> Inputs:
    """Where a page stands."""
    return locals()


@register.inclusion_tag("components/confirm.html")
def confirm(*, label: str, question: str, yes: str, address: str, variant: str = "danger", icon: str = "") -> Inputs:
    """A button that asks before it posts; Django hands the token of its form on by itself."""
    return locals()


@register.inclusion_tag("components/empty_state.html")
def empty_state(
    *, icon: str, title: str, text: str, action_url: str = "", action_label: str = "", h1: bool = False
) -> Inputs:
    """What is shown where there is nothing to show."""
    return locals()


@register.inclusion_tag("components/favorite_button.html")
def favorite_button(
    *, pk: int, title: str, favorite_url: str = "", favorite: bool = False, sign_in_url: str = ""
) -> Inputs:
    """The heart beside a service."""
    return locals()


@register.simple_tag
def footer_documents() -> list[dict[str, str]]:
    """The documents that every page leads to, with url and label; no query."""
    links = KNOWN.value.footer
    return [
        {"url": reverse("documents:document", args=[link.slug]), "label": filled_plain(link.title)} for link in links
    ]


@register.inclusion_tag("components/header.html")
def header(*, user: AbstractBaseUser | AnonymousUser, store_name: str, path: str) -> Inputs:
    """The head of a page; those that readers share get theirs from catalog/caching/personal_parts.py."""
    wallet = getattr(user, "wallet", None)
    return {
        "signed_in": user.is_authenticated,
        "is_staff": getattr(user, "is_staff", False),
        "email": getattr(user, "email", ""),
        "balance": money(wallet.balance_micros if wallet else 0),
        "reader": reader_mark(user.pk),
        "store_name": store_name,
        "path": path,
    }


@register.inclusion_tag("components/header_tab.html")
def header_tab(
    *, url: str, label: str, icon: str, path: str, count: str = "", counted: str = "", news: str = ""
) -> Inputs:
    """One way through the shop, in the head of every page."""
    return locals()


@register.simple_tag(takes_context=True)
def page_problems(context: template.Context) -> list[Problem]:
    """What is wrong with the forms of the page: for its title, and for the summary at its head."""
    return problems_in(context.flatten())


@register.inclusion_tag("components/pager.html")
def pager(*, previous_url: str, following_url: str, window: Any) -> Inputs:
    """Links to the pages before and after."""
    return locals()


@register.inclusion_tag("components/ring.html")
def ring(*, seconds: int, whole: int, percent: int) -> Inputs:
    """How much of a time is left."""
    return {**locals(), "left": f"{seconds // 60}:{seconds % 60:02}"}


@register.inclusion_tag("components/search_box.html")
def search_box(*, placeholder: str, value: str = "", label: str = "", target: str = "", action: str = "") -> Inputs:
    """The field to search with, inside a form of the page."""
    return locals()


@register.inclusion_tag("components/status_badge.html")
def status_badge(*, status: str, label: str) -> Inputs:
    """The state of an order, a number or a payment."""
    return locals()


@register.inclusion_tag("components/tab.html")
def tab(*, url: str, label: str, count: str | int | None = None, current: bool = False) -> Inputs:
    """One page of several that show the same kind of thing."""
    return locals()


@register.inclusion_tag("components/total_bar.html")
def total_bar(
    *,
    label: str,
    url: str = "",
    name: str = "",
    value: str = "",
    busy: str = "",
    total: str = "",
    word: str = "",
    total_id: str = "",
) -> Inputs:
    """What ends a form: its total and its button, which stay at the bottom of a phone's window."""
    return locals()
