"""Addresses of the SMS pages."""

from django.urls import path

from sms.views import numbers, shelf

app_name = "sms"
urlpatterns = [
    path("", shelf.home, name="home"),
    path("numbers/", numbers.waiting, name="waiting"),
    path("<int:project_id>/", shelf.buy, name="buy"),
]
