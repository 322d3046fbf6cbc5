"""Addresses of what customers ask and read."""

from django.urls import path

from support.pages import tickets

app_name = "support"
urlpatterns = [
    path("help/", tickets.help_page, name="help"),
    path("help/new/", tickets.new_ticket, name="new"),
    path("help/<int:pk>/", tickets.ticket, name="ticket"),
    path("help/<int:pk>/rating/", tickets.rating, name="rating"),
    path("help/files/<int:pk>/", tickets.attachment, name="attachment"),
]
