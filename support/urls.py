"""Addresses of help: how the shop is doing, what it announces."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from support.pages import announcements, status

app_name = "support"
urlpatterns = [
    path("status/", status.status, name="status"),
    path("status/<slug:language>.atom", status.status_feed, name="status_feed"),
    path("announcements/", announcements.announcements, name="announcements"),
    # Offered on pages that come from the cache and so hold no token: see the view.
    path(
        "announcements/<int:pk>/dismiss/",
        csrf_exempt(announcements.dismiss_announcement),
        name="dismiss_announcement",
    ),
]
