"""How the admin looks and what stands in its frame (django-unfold)."""

from typing import Any

from django.templatetags.static import static


def admin_theme(*, shop_url: str) -> dict[str, Any]:
    """Return the UNFOLD setting; `shop_url` is where "view site" leads."""
    return {
        "SITE_TITLE": "storefront.face.admin_look.store_name",
        "SITE_HEADER": "storefront.face.admin_look.store_name",
        "SITE_ICON": "storefront.face.admin_look.icon",
        "COLORS": "storefront.face.admin_look.theme_colors",
        "STYLES": [lambda request: static("css/admin.css")],
        "SITE_URL": shop_url,
        "SHOW_HISTORY": True,
        "DASHBOARD_CALLBACK": "storefront.admin_home.page.dashboard",
        "GLOBAL_CALLBACK": "storefront.admin.on_every_page",
        "SIDEBAR": {
            "show_search": True,
            "command_search": True,
            "show_all_applications": False,
            "navigation": "storefront.admin_sidebar.navigation",
        },
        "TABS": "storefront.admin_sidebar.tabs",
    }
