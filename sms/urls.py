"""Addresses of the SMS pages."""

from django.urls import path

from sms import views

app_name = "sms"
urlpatterns = [
    path("", views.home, name="home"),
    path("numbers/", views.waiting, name="waiting"),
    path("<int:project_id>/", views.buy, name="buy"),
]
