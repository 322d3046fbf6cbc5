"""Addresses of the whole shop."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from accounts.views import follow_referral
from storefront import views
from storefront.web.security_txt import security_txt

urlpatterns = [
    path("", views.home, name="home"),
    path("catalog/", include("catalog.urls")),
    path("", include("orders.urls")),
    path("wallet/", include("wallet.urls")),
    path("sms/", include("sms.urls")),
    path("", include("api.urls")),
    path("account/privacy/", include("privacy.urls")),
    path("account/", views.account, name="account"),
    path("", include("accounts.security.urls")),
    path("", include("preferences.urls")),
    path("", include("accounts.sign_in_as.urls")),
    path("accounts/", include("allauth.urls")),
    path("ref/<str:code>/", follow_referral, name="ref"),
    # Choosing a language is harmless, and without a token the footer stays the same for everybody.
    path("language/", csrf_exempt(views.choose_language), name="set_language"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("admin/", admin.site.urls),
]
