"""What the head of every page shows while it lies open: the balance, open orders, numbers, their new codes, news.

Three statements beside those that say who asks, whatever the customer has. Nobody is kept signed in by it
(`accounts.access.asks_for_news`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import Count, IntegerField, Max, OuterRef, Subquery
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only, is_looked_at
from accounts.models import User
from accounts.templatetags.money import money
from notifications.channels.bell import news
from orders.models import Kind
from sms.models import Number
from wallet.models import Wallet

# A code that has not been looked at for so long is no news any more: most of them are void by then.
NEWS = timedelta(minutes=15)
MOST = 100  # who has more open orders reads "99+"; nobody counts half a million for a small figure
SECONDS_FOR_A_CODE, SECONDS_FOR_AN_ORDER, SECONDS_AT_REST = 5, 15, 60


@dataclass(frozen=True)
class Standing:
    """How a customer stands; `newest_code` is when the last of `codes` came, in seconds since 1970.

    `notices` are the unread ones.
    """

    balance: str
    orders: int
    numbers: int
    codes: int
    newest_code: int
    notices: int

    @property
    def every_seconds(self) -> int:
        """After how many seconds it is worth asking again."""
        if self.numbers:
            return SECONDS_FOR_A_CODE
        return SECONDS_FOR_AN_ORDER if self.orders else SECONDS_AT_REST


def standing_of(user: User, *, now: datetime) -> Standing:
    """Return how the customer stands, in three statements."""
    recent = Number.objects.filter(
        order__user_id=OuterRef("user_id"), received_at__gte=now - NEWS, content_wiped_at=None
    ).order_by()
    came = recent.values("order__user_id")
    codes = Subquery(came.annotate(codes=Count("pk")).values("codes"), output_field=IntegerField())
    newest = Subquery(came.annotate(newest=Max("received_at")).values("newest"))
    row = Wallet.objects.filter(user_id=user.pk).values_list("balance_micros", codes, newest).first()
    balance_micros, count, newest_at = row or (0, None, None)
    kinds = list(user.orders.open().newest_first().values_list("kind", flat=True)[:MOST])
    return Standing(
        balance=money(balance_micros),
        orders=kinds.count(Kind.SERVICE),
        numbers=kinds.count(Kind.NUMBER),
        codes=count or 0,
        newest_code=int(newest_at.timestamp()) if newest_at else 0,
        notices=news.count_unread(user, now=now),
    )


@customers_only
@require_safe
def live(request: CustomerRequest) -> HttpResponse:
    """Tell how the customer stands, as JSON; an empty 204 while it is as what the page has `seen`.

    A page that has just been opened says where it is: news that lead `here` are read.
    """
    now = timezone.now()
    standing = standing_of(request.user, now=now)
    if standing.notices and _read_what_is_here(request, now):
        standing = standing_of(request.user, now=now)
    told = {**asdict(standing), "every_seconds": standing.every_seconds}
    seen = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return JsonResponse({**told, "seen": seen})


def _read_what_is_here(request: CustomerRequest, now: datetime) -> bool:
    """Mark as read what leads to the page that says it has been opened; support only looks. Whether there was any."""
    here = request.GET.get("here", "")
    if not here or not here.isprintable() or is_looked_at(request):
        return False
    return news.read_about(request.user, here, now=now) > 0
