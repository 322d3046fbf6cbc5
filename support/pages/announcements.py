"""The page of all announcements, and putting one away."""

from datetime import datetime

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.access import PageRequest, personal_page
from accounts.models import User
from support.announcements.audience import Reader, begun_for
from support.announcements.dismissing import COOKIE, COOKIE_AGE, dismiss, read_cookie, write_cookie
from support.models import Announcement
from support.shown_now import telling

ON_A_PAGE = 20


@personal_page
@require_safe
def announcements(request: PageRequest) -> HttpResponse:
    """Show what the shop has told this reader, the newest first."""
    now = timezone.now()
    reader = Reader(request.user if isinstance(request.user, User) else None, now=now)
    page = Paginator(begun_for(reader, now=now), ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "support/announcements.html", {"page": page})


@personal_page
@require_POST
def dismiss_announcement(request: PageRequest, pk: int) -> HttpResponse:
    """Put the bar of an announcement away, and lead back to the page it stood on.

    Pages of visitors are cached and hold no token, so none is asked for. Cookies of the session do not come along from
    other sites, and all that could be lost is a bar whose text stays on the page of announcements.
    """
    now = timezone.now()
    user = request.user if isinstance(request.user, User) else None
    announcement = _dismissable(pk, Reader(user, now=now), now=now)
    response = HttpResponseRedirect(_back(request))
    if user is not None:
        dismiss(user, announcement, now=now)
        return response
    # Only what could come back is worth its place in the cookie.
    lasting = {one.pk for one in telling().announcements} | {announcement.pk}
    away = {*read_cookie(request.COOKIES.get(COOKIE, "")), announcement.pk} & lasting
    response.set_cookie(
        COOKIE,
        write_cookie(away),
        max_age=COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _dismissable(pk: int, reader: Reader, *, now: datetime) -> Announcement:
    """Return the announcement. Raises Http404 for one that is not for this reader, or that stays."""
    found = Announcement.objects.filter(pk=pk, starts_at__lte=now, dismissable=True).first()
    if found is None or not reader.may_read(found):
        raise Http404
    return found


def _back(request: HttpRequest) -> str:
    """Return the page it was pressed on, if that is one of ours."""
    page = request.headers.get("Referer", "")
    secure = request.is_secure()
    ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=secure)
    return page if ours else resolve_url("support:announcements")
