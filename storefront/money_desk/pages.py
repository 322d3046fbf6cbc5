"""The page of the money desk, and the files that it shows beside a payment."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.trail import Action, record
from storefront.money_desk.known import READ
from storefront.money_desk.queues import address, looked_at, page_of
from storefront.money_desk.tabs import tabs_of
from support.attachments.downloads import as_download
from support.models import Attachment, AttachmentContent, Message
from wallet.models import TopUp

MOST_DIGITS = 19  # of a number that the database holds


@require_safe
def money_desk(request: HttpRequest) -> HttpResponse:
    """Show a queue with what is looked at beside it, or what is known of the supplier, debts and books."""
    tabs = tabs_of(request.user)
    if not tabs:
        raise PermissionDenied
    now = timezone.now()
    counts = {tab.name: tab.waiting().count() for tab in tabs if tab.waiting}
    first = next((tab for tab in tabs if counts.get(tab.name)), tabs[0])
    tab = next((tab for tab in tabs if tab.name == request.GET.get("tab")), first)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Money desk"),
        "content_title": _("Money desk"),
        "tab": tab,
        "shelves": [
            {"title": one.title, "count": counts.get(one.name, 0), "link": address(one), "here": one is tab, "key": key}
            for key, one in enumerate(tabs, start=1)
        ],
    }
    if tab.name in READ:
        context["known"] = READ[tab.name](now=now)
    else:
        at = _number(request, "at")
        page = page_of(tab, at, _number(request, "part") or 0, now=now)
        context["lines"] = page.lines
        context["before"] = address(tab, number=page.number - 1) if page.number else ""
        context["after"] = "" if page.is_last else address(tab, number=page.number + 1)
        context["gone"] = at is not None and page.here is not None and page.here.pk != at
        context["looked"] = looked_at(request, tab, page)
    return render(request, "admin/money_desk/money_desk.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    typed = request.GET.get(name, "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < MOST_DIGITS else None


@require_safe
def money_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a file that a customer sent about a payment which waits here, for whoever judges payments."""
    if not request.user.has_perm("wallet.change_topup"):
        raise PermissionDenied
    by_customers = Attachment.objects.filter(message__kind=Message.Kind.CUSTOMER)
    file = by_customers.filter(pk=pk, message__ticket__top_up__in=TopUp.objects.for_a_human().order_by()).first()
    content = AttachmentContent.objects.filter(attachment=file).first() if file is not None else None
    if file is None or content is None:
        raise Http404
    page = {"page": "money_file", "ticket": file.message.ticket_id}
    record(Action.EXPORTED, actor=request.user, target=file, request=request, after=page)
    return as_download(file, bytes(content.data))
