"""Addresses of the order pages."""

from django.urls import path

from orders import views

app_name = "orders"
urlpatterns = [
    path("order/<int:service_id>/", views.place, name="place"),
    path("orders/", views.order_list, name="list"),
    path("orders/<int:pk>/", views.detail, name="detail"),
]
