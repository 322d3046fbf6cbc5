"""The button "tell me when it is back" of a sold-out service."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import PageRequest, personal_page
from accounts.models import User
from catalog.models import Service
from catalog.operations.stock_alerts import NotSoldOut, cancel_stock_alert, open_stock_alert


@personal_page
@require_POST
def stock_alert(request: PageRequest, service_id: int) -> HttpResponse:
    """Remember that a customer waits for a service, or with `stop` forget it; lead back to where they were."""
    page = reverse("orders:place", args=[service_id])
    if not isinstance(request.user, User):
        return redirect_to_login(page)  # this address itself cannot be opened
    service = get_object_or_404(Service.objects.select_related("category"), pk=service_id)
    if "stop" in request.POST:
        cancel_stock_alert(request.user, service)
        messages.info(request, _("We won't notify you about it."))
    else:
        try:
            open_stock_alert(request.user, service)
        except NotSoldOut:
            messages.info(request, _("This service isn't sold out, so there's nothing to wait for."))
        else:
            told = _("We'll write to %(email)s as soon as it can be ordered again.") % {"email": request.user.email}
            messages.success(request, told)
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, None) else page)
