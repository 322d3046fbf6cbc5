"""Addresses of the account's privacy, under /account/privacy/."""

from django.urls import path

from privacy import views

app_name = "privacy"
urlpatterns = [
    path("", views.home, name="home"),
    path("prepare/", views.prepare, name="prepare"),
    path("downloads/<int:pk>/", views.download, name="download"),
    path("delete/", views.delete, name="delete"),
    path("keep/<str:token>/", views.keep, name="keep"),
]
