"""Addresses of the files that make the shop's face."""

from django.urls import path

from preferences import views

urlpatterns = [
    path("face/accent-<str:color>.css", views.face_styles, name="face_styles"),
    path("face/<str:digest>.png", views.face_picture, name="face_picture"),
]
