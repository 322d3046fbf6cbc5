"""The API's addresses, and its pages in the account.

The door opens with and without a slash, because a redirect would lose the body of a POST.
"""

from django.urls import include, path

from api import views
from api.docs import views as docs
from api.keys import views as key_pages

app_name = "api"
urlpatterns = [
    path("api/v2", views.api_v2, name="v2"),
    path("api/v2/", views.api_v2),
    path("api/v2/openapi.json", docs.openapi, name="openapi"),
    path("api/docs/", docs.guide, name="docs"),
    path("api/console/", docs.console, name="console"),
    path("account/api/", key_pages.keys, name="keys"),
    path("account/api/test-wallet/", key_pages.fill, name="test_wallet_fill"),
    path("account/api/<int:pk>/", key_pages.key, name="key"),
    path("account/api/<int:pk>/show/", key_pages.show, name="key_show"),
    path("account/api/<int:pk>/rotate/", key_pages.rotate, name="key_rotate"),
    path("account/api/<int:pk>/revoke/", key_pages.revoke, name="key_revoke"),
    path("account/api/webhooks/", include("api.webhooks.urls")),
]
