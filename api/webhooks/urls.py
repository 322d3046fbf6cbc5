"""Addresses of the account's pages of webhooks."""

from django.urls import path

from api.webhooks import views

urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("<int:pk>/", views.webhook, name="webhook"),
    path("<int:pk>/secret/", views.rotate, name="webhook_rotate"),
    path("<int:pk>/test/", views.test, name="webhook_test"),
    path("<int:pk>/switch/", views.switch, name="webhook_switch"),
    path("<int:pk>/delete/", views.delete, name="webhook_delete"),
    path("messages/<int:pk>/", views.delivery, name="webhook_delivery"),
    path("messages/<int:pk>/replay/", views.replay, name="webhook_replay"),
]
