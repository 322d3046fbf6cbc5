"""Addresses of the listings."""

from django.urls import path

from catalog.browse import views

app_name = "catalog"
urlpatterns = [
    path("", views.index, name="index"),
    path("search/", views.search, name="search"),
    path("favorites/", views.favorites, name="favorites"),
    path("favorites/<int:pk>/", views.favorite, name="favorite"),
    path("<int:pk>/", views.category, name="category"),
]
