"""The page of the money desk, and the files that it shows beside a payment."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from storefront.money_desk.known import READ
from storefront.money_desk.queues import address, lines_of, looked_at
from storefront.money_desk.tabs import tabs_of
from support.attachments.downloads import as_download
from support.models import Attachment, AttachmentContent


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
    at = request.GET.get("at", "")
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
        lines, row = lines_of(tab, int(at) if at.isdecimal() and len(at) < 19 else None, now=now)
        context["lines"] = lines
        context["more"] = counts[tab.name] - len(lines)
        context["gone"] = bool(at) and row is not None and str(row.pk) != at
        context["looked"] = looked_at(request, tab, row, lines) if row is not None else None
    return render(request, "admin/money_desk/money_desk.html", context)


@require_safe
def money_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Return a file that a customer sent about a payment, for whoever judges payments."""
    if not request.user.has_perm("wallet.change_topup"):
        raise PermissionDenied
    file = Attachment.objects.filter(pk=pk, message__ticket__top_up__isnull=False).first()
    content = AttachmentContent.objects.filter(attachment=file).first() if file is not None else None
    if file is None or content is None:
        raise Http404
    return as_download(file, bytes(content.data))
