"""Addresses of help: what customers ask and read, how the shop is doing, what it announces."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from support.pages import announcements, status, tickets

app_name = "support"
urlpatterns = [
    path("help/", tickets.help_page, name="help"),
    path("help/new/", tickets.new_ticket, name="new"),
    path("help/<int:pk>/", tickets.ticket, name="ticket"),
    path("help/<int:pk>/rating/", tickets.rating, name="rating"),
    path("help/files/<int:pk>/", tickets.attachment, name="attachment"),
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
