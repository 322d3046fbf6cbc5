"""Addresses of a customer's news."""

from django.urls import path

from notifications.pages import choosing, news, way_out

app_name = "notices"
urlpatterns = [
    path("notices/", news.news_list, name="list"),
    path("notices/read/", news.read_all, name="read_all"),
    path("notices/<int:pk>/", news.open_news, name="open"),
    path("notices/unsubscribe/<str:token>/", way_out.unsubscribe, name="unsubscribe"),
    path("account/notices/", choosing.choices, name="choices"),
]
