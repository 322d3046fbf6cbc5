"""The files that make the shop's face: a style sheet with its accent, and its pictures."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from preferences import colors
from preferences.look import digest_of
from preferences.pictures import content_of

FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def face_styles(request: HttpRequest, color: str) -> HttpResponse:
    """Return the tokens of an accent (rrggbb); for good where the address names them as they are derived now."""
    if not re.fullmatch("[0-9a-f]{6}", color):
        raise Http404
    styles = colors.stylesheet(f"#{color}")
    response = HttpResponse(styles, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOR_GOOD if request.GET.get("v") == digest_of(styles) else "no-cache"
    return response


@require_safe
def face_picture(request: HttpRequest, digest: str) -> HttpResponse:
    """Return a picture by its digest."""
    content = content_of(digest) if re.fullmatch("[0-9a-f]{64}", digest) else None
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/png", headers={"Cache-Control": FOR_GOOD})
