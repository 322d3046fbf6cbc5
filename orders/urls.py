"""Addresses of the order pages."""

from django.urls import path

from orders.pages import views

app_name = "orders"
urlpatterns = [
    path("quick/", views.quick, name="quick"),
    path("quick/services/", views.quick_services, name="quick_services"),
    path("order/<int:service_id>/", views.place, name="place"),
    path("order/<int:service_id>/stock-alert/", views.stock_alert, name="stock_alert"),
    path("orders/", views.order_list, name="list"),
    path("orders/mass/", views.mass, name="mass"),
    path("referrals/", views.referrals, name="referrals"),
    path("orders/export/", views.export, name="export"),
    path("orders/<int:pk>/", views.detail, name="detail"),
    path("orders/<int:pk>/cancel/", views.cancel, name="cancel"),
    path("orders/<int:pk>/goods/", views.goods, name="goods"),
    path("orders/<int:pk>/goods/file/", views.goods_file, name="goods_file"),
    path("orders/<int:pk>/goods/report/", views.goods_claim, name="goods_claim"),
    path("orders/<int:pk>/ask/<str:kind>/", views.ask, name="ask"),
]
