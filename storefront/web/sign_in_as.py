"""While support looks at the shop in a customer's place: which pages it sees, and that nothing changes by it.

What a visit is, `accounts/sign_in_as/` says. Here stands the list of pages, since only the shop as a whole knows all of
them. What is not on it is refused, whoever wrote it; a test asks of each new address on which side it is.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from hijack.middleware import HijackUserMiddleware

from accounts.models import User
from accounts.read_only import WritesRefused, refusing_writes
from accounts.sign_in_as.views import way_back
from accounts.sign_in_as.visits import Visit, end_visit, note_page, visit_of, why_over

View = Callable[[HttpRequest], HttpResponse]
END = "end_visit"
METHODS = ("GET", "HEAD", "OPTIONS")
# Pages that only show, and show no goods, codes, keys or secrets, nor how the account is secured.
SHOWN = frozenset(
    {
        *("home", "account", "live", "palette", "palette_found", "face_styles", "face_picture"),
        *("changes", "changes_feed", "documents:document"),
        *("catalog:index", "catalog:search", "catalog:category", "catalog:favorites"),
        *("orders:place", "orders:mass", "orders:list", "orders:detail", "orders:referrals"),
        *("orders:quick", "orders:quick_services"),
        *("wallet:home", "wallet:add", "wallet:receipts", "wallet:receipt"),
        *("notices:list", "notices:choices"),
        *("sms:home", "sms:site", "sms:country", "sms:buy", "sms:waiting", "sms:history"),
        *("support:status", "support:announcements"),
    }
)


# What every page asks for by itself tells nobody which pages were looked at.
NOT_NOTED = frozenset({"live"})


class SignInAsMiddleware(HijackUserMiddleware):
    """Answer requests of staff who is on a visit in the customer's place, read-only; others pass as they are.

    The library marks the customer as looked at, and puts the bar (templates/hijack/notification.html) on every page.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Whoever has no session is asked nothing: their page can be shared.
        visit = visit_of(request) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if visit is None:
            return self.get_response(request)
        staff = request.user
        customer = User.objects.select_related("group", "wallet").filter(pk=visit.customer_id).first()
        why = why_over(visit, staff, customer, now=timezone.now())
        if why or customer is None or not isinstance(staff, User):
            return _ended(request, visit, why)
        if request.method == "POST" and _name_of(request) == END:
            return self.get_response(request)
        return self._in_their_place(request, visit, staff, customer)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Refuse a page that was about to write."""
        return _refused(request) if isinstance(exception, WritesRefused) else None

    def _in_their_place(self, request: HttpRequest, visit: Visit, staff: User, customer: User) -> HttpResponse:
        name = _name_of(request)
        shown = request.method in METHODS and name in SHOWN | {""}
        if not shown or name not in NOT_NOTED:
            note_page(request, visit, staff, customer, refused=not shown)
        request.looked_at_by, request.looked_at_until = staff, visit.ends_at  # type: ignore[attr-defined]  # see access.py
        request.user = customer
        self.process_request(request)
        if not shown:
            return self.process_response(request, _refused(request))
        with refusing_writes():
            response = self.get_response(request)
        return self.process_response(request, response)


def _name_of(request: HttpRequest) -> str:
    """Return the name of the address that is asked for, "" where there is none: that is a page "not found"."""
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""


def _refused(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/not_on_a_visit.html", status=403)


def _ended(request: HttpRequest, visit: Visit, why: str) -> HttpResponse:
    """Lead back to staff's own pages. What was asked for is not done: it was meant for the customer's."""
    end_visit(request, why=why, now=timezone.now())
    messages.info(request, _("You are no longer looking at the customer's pages. %(why)s") % {"why": why})
    back = way_back(request, visit.customer_id)
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django-htmx
    return HttpResponseClientRedirect(back) if htmx else HttpResponseRedirect(back)
