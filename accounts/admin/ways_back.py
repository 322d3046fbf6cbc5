"""Where a dialog leads once it is done, for pages that offer the dialogs of others."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def way_back(request: HttpRequest, usual: str) -> str:
    """Return the page of the admin that a dialog's address names as `back`, else `usual`."""
    back = request.GET.get("back", "")
    here = back.startswith(reverse("admin:index")) and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if here else usual
