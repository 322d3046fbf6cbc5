"""Addresses of a shop that knows nothing of service workers, as one was before it had any."""

from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("<title>Shop</title><p>Welcome</p>"))]
