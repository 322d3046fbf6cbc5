"""What the shop shows where there is no connection: a page for each language, and the service worker that keeps it.

Both stand at addresses that name the language, so that readers who choose another one get another worker with it, and
both are the same for everybody. The worker lies at the root: it may only answer for what lies beside and below it.
Source: https://w3c.github.io/ServiceWorker/
"""

import hashlib
import json
import re
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe

from preferences.face import LANGUAGES, STORE_NAME
from storefront.web.staticfiles import BUNDLE, imported_by_browsers

_SOURCE = Path(__file__).with_name("worker.js").read_text()
# What the page asks for by itself; links are for when the connection is back.
_ASKED_FOR = re.compile(r'<(?:link|script|img|use)\b[^>]*?\s(?:href|src)="(/[^"#]+)')
FOR_EVERYBODY = ("/sw-", "/offline/")  # how the addresses of both begin
# Workers look for their own file with every page, and are answered by their browser's cache for so long.
WORKER_SECONDS = 3600


@require_safe
def offline_page(request: HttpRequest, language: str) -> HttpResponse:
    """Answer with the page in this language."""
    response = HttpResponse(_page(language), headers={"Cache-Control": "no-cache"})
    response["Content-Language"] = language
    return response


@require_safe
def service_worker(request: HttpRequest, language: str) -> HttpResponse:
    """Answer with the worker that keeps the page of this language; its text changes when anything it keeps does."""
    page = _page(language)
    assets = [*dict.fromkeys(_ASKED_FOR.findall(page))]
    if static(BUNDLE) in assets:
        assets += [static(name) for name in imported_by_browsers()]
    kept = [page, *assets, _SOURCE]
    offline = {
        "version": hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16],
        "page": reverse("offline", kwargs={"language": language}),
        "assets": assets,
    }
    response = HttpResponse(f"const OFFLINE = {json.dumps(offline, indent=2)};\n{_SOURCE}", "text/javascript")
    response["Cache-Control"] = "no-cache" if settings.DEBUG else f"private, max-age={WORKER_SECONDS}"
    return response


def _page(language: str) -> str:
    """Return the page in one of the languages the shop offers. Raises Http404 for another."""
    if language not in LANGUAGES.value:
        raise Http404
    with translation.override(language):
        return render_to_string("offline.html", {"store_name": STORE_NAME.value})
