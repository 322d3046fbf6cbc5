"""The shop's WSGI application with a few more addresses, which bench/pages.py and bench/api.py compare others with."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - the application reads them first
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from catalog.models import Category, Service  # noqa: E402

ROWS = 50
LIST = engines["django"].from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ category.title }}</title></head><body>
<h1>{{ category.title }}</h1>
<ul>{% for service in services %}
  <li><a href="{% url 'orders:place' service.pk %}">{{ service.title }}</a>
    {{ service.min_quantity }}–{{ service.max_quantity }}{% if service.refill %} <b>Refill</b>{% endif %}
    <span>{{ service.selling_per_thousand_micros|money }}</span></li>{% endfor %}
</ul></body></html>
""")
_constant: dict[int, bytes] = {}


def constant(request: HttpRequest, size: int) -> HttpResponse:
    """K: a page of this many bytes, the same each time."""
    return HttpResponse(_constant.setdefault(size, b"x" * size))


@csrf_exempt
def constant_json(request: HttpRequest, size: int) -> HttpResponse:
    """The same as JSON, for a POST: what any answer of the API costs, whatever it says."""
    text = _constant.get(-size)
    if text is None:
        text = _constant[-size] = b'"' + b"x" * (size - 2) + b'"'
    return HttpResponse(text, content_type="application/json")


def uncached(request: HttpRequest, pk: int) -> HttpResponse:
    """U: what anybody writes first. Two queries through indexes, and a template of fifty rows."""
    category = Category.objects.get(pk=pk)
    services = Service.objects.filter(category=category, withdrawn_at=None).order_by("position", "id")[:ROWS]
    return HttpResponse(LIST.render({"category": category, "services": services}, request))


urlpatterns = [
    path("bench/constant/<int:size>/", constant),
    path("bench/json/<int:size>/", constant_json),
    path("bench/uncached/<int:pk>/", uncached),
    path("", include("storefront.urls")),
]
settings.ROOT_URLCONF = __name__
