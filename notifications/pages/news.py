"""The page behind the bell: a customer's news, what is unread among them, and where each leads."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import CustomerRequest, customers_only, is_looked_at
from accounts.paging import open_page
from notifications.channels.bell import news

PER_PAGE = 30


@customers_only
@require_safe
def news_list(request: CustomerRequest) -> HttpResponse:
    """Show the news of the last weeks, the newest first."""
    now = timezone.now()
    page = open_page(news.news_of(request.user, now=now), request.GET, PER_PAGE)
    context = {
        "page": page,
        "params": request.GET,
        "newest": page.rows[0].pk if page.rows else 0,
        "has_unread": news.count_unread(request.user, now=now) > 0,
        "weeks": news.SHOWN_FOR.days // 7,
        # Support only looks: what it opens stays unread.
        "looked_at": is_looked_at(request),
    }
    return render(request, "notifications/news.html", context)


@customers_only
@require_safe
def open_news(request: CustomerRequest, pk: int) -> HttpResponse:
    """Mark as read and lead to what it is about, or where it is about no page back to the list."""
    notice = news.read(request.user, pk, now=timezone.now())
    if notice is None:
        raise Http404
    return redirect(notice.url or "notices:list")


@customers_only
@require_POST
def read_all(request: CustomerRequest) -> HttpResponse:
    """Mark as read what the page showed and everything before; what came meanwhile stays unread."""
    up_to = request.POST.get("up_to", "")
    if up_to.isascii() and up_to.isdecimal() and len(up_to) < 19:
        news.read_all(request.user, up_to=int(up_to), now=timezone.now())
    return redirect("notices:list")
