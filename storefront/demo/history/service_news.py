"""What the page of changes tells of the demo's last weeks: former prices, new services, some that came back."""

from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone

from catalog.models import PricePoint, Service, ServiceNews
from catalog.operations.service_news import KEPT_DAYS

Kind = ServiceNews.Kind
CAME_BACK = 3


def remember_news(*, now: datetime) -> None:
    """Write down what changed on which day, as syncs would have done; the oldest first, as they would."""
    today = timezone.localdate(now)
    news = [*_prices(), *_new(now), *_back(now)]
    seen: dict[tuple[int, object], ServiceNews] = {}
    for each in sorted(news, key=lambda one: one.day):
        if today - timedelta(days=KEPT_DAYS) < each.day <= today:
            seen.setdefault((each.service_id, each.day), each)
    ServiceNews.objects.bulk_create(seen.values())


def _prices() -> list[ServiceNews]:
    by_service: dict[int, list[PricePoint]] = {}
    for point in PricePoint.objects.order_by("service", "day"):
        by_service.setdefault(point.service_id, []).append(point)
    found = []
    for points in by_service.values():
        for before, after in pairwise(points):
            was, costs = before.selling_per_thousand_micros, after.selling_per_thousand_micros
            if was != costs:
                kind = Kind.CHEAPER if costs < was else Kind.DEARER
                news = ServiceNews(service_id=after.service_id, day=after.day, kind=kind)
                news.before_micros, news.after_micros = was, costs
                found.append(news)
    return found


def _new(now: datetime) -> list[ServiceNews]:
    lately = Service.objects.on_sale().filter(first_seen_at__gt=now - timedelta(days=7))
    return [
        ServiceNews(service=service, day=timezone.localdate(service.first_seen_at), kind=Kind.NEW)
        for service in lately.order_by("pk")
    ]


def _back(now: datetime) -> list[ServiceNews]:
    lucky = Service.objects.on_sale().order_by("pk")[100 : 100 + CAME_BACK]
    return [
        ServiceNews(service=service, day=timezone.localdate(now - timedelta(days=4 * place)), kind=Kind.BACK)
        for place, service in enumerate(lucky, 1)
    ]
