"""The one address of a visit that is posted to."""

from django.urls import path

from accounts.sign_in_as import views

urlpatterns = [path("account/visit/end/", views.end, name="end_visit")]
