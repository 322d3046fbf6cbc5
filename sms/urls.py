"""Addresses of the SMS pages."""

from django.urls import path

from sms.pages.views import numbers, shop

app_name = "sms"
urlpatterns = [
    path("", shop.home, name="home"),
    path("numbers/", numbers.waiting, name="waiting"),
    path("numbers/history/", numbers.history, name="history"),
    path("numbers/<int:order_id>/cancel/", numbers.cancel, name="cancel"),
    path("numbers/<int:order_id>/replace/", numbers.replace, name="replace"),
    path("numbers/<int:order_id>/replacement-rule/", numbers.replacement_rule, name="replacement_rule"),
    path("sites/<int:pk>/", shop.site, name="site"),
    path("countries/<str:code>/", shop.country, name="country"),
    path("<int:project_id>/", shop.buy, name="buy"),
]
