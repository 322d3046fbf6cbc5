"""The way back from a customer's pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.sign_in_as.visits import end_visit, visit_of


def way_back(request: HttpRequest, customer_id: int) -> str:
    """Return where staff goes on after a visit: the customer's page at the admin, or the shop's first one."""
    if request.user.is_staff and request.user.has_perm("accounts.view_user"):
        return reverse("admin:accounts_user_change", args=[customer_id])
    return reverse("admin:index" if request.user.is_staff else "home")


@never_cache
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End the visit of this session and lead back to the admin."""
    visit = visit_of(request)
    if visit is None:
        raise Http404
    end_visit(request, why="ended", now=timezone.now())
    return redirect(way_back(request, visit.customer_id))
