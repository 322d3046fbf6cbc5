"""The API's addresses: with and without a slash, because a redirect would lose the body of a POST."""

from django.urls import path

from api import views

app_name = "api"
urlpatterns = [
    path("api/v2", views.api_v2, name="v2"),
    path("api/v2/", views.api_v2),
]
