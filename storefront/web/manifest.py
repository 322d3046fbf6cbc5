"""What a phone or desktop needs to install the shop like an app. Source: https://www.w3.org/TR/appmanifest/."""

from textwrap import shorten

from django.http import HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import PageRequest
from catalog.caching.page_cache import cached_page
from preferences.face import ACCENT, STORE_NAME
from sms.preferences import NUMBERS_ON_SALE

# As --paper of static/css/tokens.css in daylight.
PAPER = "#f4f6f3"
ICONS = (("any", 192), ("any", 512), ("maskable", 512))
LONGEST_SHORT_NAME = 12  # more is cut off below an icon


@cached_page(tells_stock=False)
@require_safe
def manifest(request: PageRequest) -> HttpResponse:
    """Answer with the manifest in the reader's language."""
    start, name = reverse("home"), STORE_NAME.value
    shortcuts = [{"name": _("My orders"), "url": reverse("orders:list")}]
    if NUMBERS_ON_SALE.value:
        shortcuts.append({"name": _("SMS numbers"), "url": reverse("sms:home")})
    document = {
        "id": start,
        "name": name,
        "short_name": shorten(name, LONGEST_SHORT_NAME, placeholder="") or name[:LONGEST_SHORT_NAME],
        "description": _("Digital services at clear prices."),
        "lang": get_language(),
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": ACCENT.value,
        "icons": [
            {
                "src": static(f"icons/{'maskable' if purpose == 'maskable' else 'icon'}-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for purpose, size in ICONS
        ],
        "shortcuts": shortcuts,
    }
    return JsonResponse(document, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})
