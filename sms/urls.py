"""Addresses of the SMS pages."""

from django.urls import path

from sms.pages.views import numbers, shop

app_name = "sms"
urlpatterns = [
    path("", shop.home, name="home"),
    path("numbers/", numbers.waiting, name="waiting"),
    path("numbers/history/", numbers.history, name="history"),
    path("numbers/<int:order_id>/give-up/", numbers.give_up, name="give_up"),
    path("numbers/<int:order_id>/exchange/", numbers.swap, name="swap"),
    path("numbers/<int:order_id>/rule/", numbers.swap_rule, name="swap_rule"),
    path("sites/<int:pk>/", shop.site, name="site"),
    path("countries/<str:code>/", shop.country, name="country"),
    path("<int:project_id>/", shop.buy, name="buy"),
]
