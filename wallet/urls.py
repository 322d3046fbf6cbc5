"""Addresses of the wallet pages."""

from django.urls import path

from wallet.views.home import home

app_name = "wallet"
urlpatterns = [path("", home, name="home")]
