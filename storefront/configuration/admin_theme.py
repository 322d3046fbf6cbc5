"""How the admin looks and what stands in its frame (django-unfold)."""

from typing import Any


def admin_theme(store_name: str, *, shop_url: str) -> dict[str, Any]:
    """Return the UNFOLD setting; `shop_url` is where "view site" leads."""
    return {
        "SITE_TITLE": store_name,
        "SITE_HEADER": store_name,
        "SITE_URL": shop_url,
        "SHOW_HISTORY": True,
        "DASHBOARD_CALLBACK": "storefront.admin.dashboard",
        "GLOBAL_CALLBACK": "storefront.admin.on_every_page",
        "SIDEBAR": {
            "show_search": True,
            "show_all_applications": False,
            "navigation": "storefront.admin.navigation",
        },
    }
