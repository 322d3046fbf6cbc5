"""Addresses of the shelves."""

from django.urls import path

from catalog.browse import views

app_name = "catalog"
urlpatterns = [
    path("", views.index, name="index"),
    path("search/", views.search, name="search"),
    path("favourites/", views.favourites, name="favourites"),
    path("favourites/<int:pk>/", views.favourite, name="favourite"),
    path("<int:pk>/", views.category, name="category"),
]
