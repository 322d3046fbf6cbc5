"""The address browsers try by themselves, where a page names no icon of its own."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon. Its own address changes with every new drawing, so this answer is kept for a day only."""
    response = HttpResponsePermanentRedirect(static("icons/favicon.ico"))
    response["Cache-Control"] = "public, max-age=86400"
    return response
