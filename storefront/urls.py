"""Addresses of the whole shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from accounts.views import follow_referral
from catalog.browse.changes_views import changes_feed, changes_page
from storefront import views
from storefront.live import live
from storefront.offline.views import offline_page, service_worker
from storefront.palette import views as palette
from storefront.search_engines import sitemaps
from storefront.search_engines.robots import robots
from storefront.styleguide.views import styleguide
from storefront.web.errors import broken
from storefront.web.favicon import favicon
from storefront.web.manifest import manifest
from storefront.web.security_txt import security_txt

urlpatterns = [
    path("", views.home, name="home"),
    path("live/", live, name="live"),
    path("catalog/", include("catalog.urls")),
    path("changes/", changes_page, name="changes"),
    path("changes/feed/", changes_feed, name="changes_feed"),
    path("", include("orders.urls")),
    path("wallet/", include("wallet.urls")),
    path("sms/", include("sms.urls")),
    path("", include("api.urls")),
    path("", include("support.urls")),
    path("account/privacy/", include("privacy.urls")),
    path("", include("notifications.urls")),
    path("account/", views.account, name="account"),
    path("", include("accounts.security.urls")),
    path("pages/", include("support.pages.document_urls")),
    path("", include("preferences.urls")),
    path("", include("accounts.sign_in_as.urls")),
    path("accounts/", include("allauth.urls")),
    path("ref/<str:code>/", follow_referral, name="ref"),
    path("palette/", palette.palette, name="palette"),
    path("palette/found/", palette.found, name="palette_found"),
    # Choosing a language is harmless, and without a token the footer stays the same for everybody.
    path("language/", csrf_exempt(views.choose_language), name="set_language"),
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-<str:section>-<int:number>.xml", sitemaps.file, name="sitemap_file"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("sw-<slug:language>.js", service_worker, name="service_worker"),
    path("offline/<slug:language>/", offline_page, name="offline"),
    path("styleguide/", styleguide, name="styleguide"),
    path("favicon.ico", favicon, name="favicon"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("admin/", admin.site.urls),
]

handler500 = broken
