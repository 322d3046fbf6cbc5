"""Addresses of the SMS pages."""

from django.urls import path

from sms.views import numbers, shelf

app_name = "sms"
urlpatterns = [
    path("", shelf.home, name="home"),
    path("numbers/", numbers.waiting, name="waiting"),
    path("numbers/history/", numbers.history, name="history"),
    path("numbers/<int:order_id>/give-up/", numbers.give_up, name="give_up"),
    path("numbers/<int:order_id>/exchange/", numbers.swap, name="swap"),
    path("numbers/<int:order_id>/rule/", numbers.swap_rule, name="swap_rule"),
    path("sites/<int:pk>/", shelf.site, name="site"),
    path("countries/<str:code>/", shelf.country, name="country"),
    path("<int:project_id>/", shelf.buy, name="buy"),
]
