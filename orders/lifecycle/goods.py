"""Delivered goods: the accounts that came with a status. Kept encrypted, never fewer, shown to their buyer alone."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.addresses import parsed_address
from accounts.batches import spans
from accounts.encryption import (
    CannotDecrypt,
    decrypt,
    encrypt,
    reencrypt_column,
)
from accounts.models import User
from orders.columns import read_goods
from orders.lifecycle.goods_evidence import arrivals_of, arrived, note_openings
from orders.models import DeliveredGoods, GoodsReveal, Order

log = structlog.get_logger(__name__)
GOODS_FIELD = "accounts"
SHORTEST_SECRET = 6  # what is shorter may be a word of anybody's


class NothingDelivered(Exception):
    """No goods have come with this order's status, or not yet."""


def without_goods(payload: dict[str, Any]) -> dict[str, Any]:
    """Return upstream's answer as it may be kept in the open."""
    return {name: value for name, value in payload.items() if name != GOODS_FIELD}


def has_news(order: Order, accounts: Sequence[str]) -> bool:
    """Whether upstream named goods that are not kept yet; no query for an order read with its `goods`."""
    goods = getattr(order, "goods", None)
    if goods is None:
        return bool(accounts)
    try:
        return bool(Counter(accounts) - Counter(_lines(goods)))
    except CannotDecrypt:
        pieces: int = goods.pieces
        return len(accounts) > pieces


def keep_goods(order: Order, accounts: Sequence[str], now: datetime) -> None:
    """Keep what upstream delivered with this order, beside what it delivered before; a repeat changes nothing.

    Nothing is ever taken away: when upstream later answers with fewer or other accounts, the buyer has all of them.
    """
    if not accounts:
        return
    goods, created = DeliveredGoods.objects.get_or_create(
        order=order,
        defaults={
            "encrypted": _encrypted(accounts),
            "pieces": len(accounts),
            "received_at": now,
            "arrivals": arrived([], len(accounts), now),
        },
    )
    order.goods = goods
    while not created:
        try:
            kept = _lines(goods)
        except CannotDecrypt:
            # What is encrypted stays as it is: the missing key may come back. The order itself goes on.
            log.error("goods_cannot_be_decrypted", order_id=order.pk)
            return
        lines = kept + list((Counter(accounts) - Counter(kept)).elements())
        if len(lines) == len(kept):
            return
        unchanged = DeliveredGoods.objects.filter(pk=goods.pk, encrypted=goods.encrypted)
        arrivals = arrived(arrivals_of(goods), len(lines), now)
        if unchanged.update(encrypted=_encrypted(lines), pieces=len(lines), received_at=now, arrivals=arrivals):
            goods.refresh_from_db()
            return
        goods.refresh_from_db()


def reveal(order: Order, user: User, address: str | None) -> list[str]:
    """Return the goods of this order, one text each as upstream wrote them, and log that they were looked at.

    Only their buyer may look; `address` is where the request came from. Raises PermissionDenied for anybody else,
    NothingDelivered when there are none, CannotDecrypt when the key that encrypted them is gone.
    """
    lines = reveal_all([order], user=user, address=address).get(order.pk)
    if lines is None:
        raise NothingDelivered(f"order {order.pk}")
    return lines


def reveal_all(
    orders: Iterable[Order], *, user: User, address: str | None, now: datetime | None = None
) -> dict[int, list[str]]:
    """Return the goods of several orders by order id, each look counted; orders without goods are left out.

    Raises PermissionDenied unless all of them are this user's, CannotDecrypt.
    """
    orders = list(orders)
    if any(order.user_id != user.pk for order in orders):
        raise PermissionDenied
    found = list(DeliveredGoods.objects.filter(order__in=orders))
    lines = {goods.order_id: _lines(goods) for goods in found}
    # Written before anything is shown: a look that cannot be logged is no look.
    _note_looks(found, user, address, now or timezone.now())
    return lines


def names_a_secret(order: Order, text: str) -> bool:
    """Whether a text repeats a whole delivered line, or a password or the like of one; nothing is shown by it.

    Goods that cannot be decrypted now are taken for not repeated. Needs the order's service loaded.
    """
    goods = DeliveredGoods.objects.filter(order=order).first()
    if goods is None or not text:
        return False
    try:
        lines = read_goods(order, _lines(goods)).lines
    except CannotDecrypt:
        return False
    secrets = [cell.text for line in lines for cell in line.cells if cell.secret]
    secrets += [line.raw.strip() for line in lines]
    return any(len(secret) >= SHORTEST_SECRET and secret in text for secret in secrets)


def masked_lines(order: Order, numbers: Iterable[int]) -> dict[int, list[tuple[str, bool]]]:
    """Return of these lines, for staff, the names of their columns and whether anything stands there: no value.

    A line that stays whole has no columns. Nothing where goods can't be decrypted now. Needs the service loaded.
    """
    goods = DeliveredGoods.objects.filter(order=order).first()
    try:
        lines = [] if goods is None or not goods.encrypted else read_goods(order, _lines(goods)).lines
    except CannotDecrypt:
        return {}
    by_number = {line.number: line for line in lines}
    found = [by_number[number] for number in numbers if number in by_number]
    return {line.number: [(cell.label, bool(cell.text)) for cell in line.cells] for line in found}


def note_looks_at_all(user: User, *, until: datetime, address: str | None, now: datetime) -> None:
    """Count a look at all goods that this customer had received `until` then: they leave together, in a file."""
    goods = DeliveredGoods.objects.filter(order__user=user, received_at__lte=until)
    for after, last in spans(goods):
        _note_looks(list(goods.filter(pk__gt=after, pk__lte=last).only("pk", "pieces", "openings")), user, address, now)


def _note_looks(found: Sequence[DeliveredGoods], user: User, address: str | None, now: datetime) -> None:
    """Count a look: one row a person and day, for a program that asks for its statuses looks every minute."""
    if not found:
        return
    came_from = parsed_address(address)
    address = None if came_from is None else str(came_from)
    day = now.astimezone(UTC).date()
    rows = GoodsReveal.objects.filter(goods__in=found, user=user, day=day)
    with transaction.atomic():
        seen = set(rows.values_list("goods_id", flat=True))
        # First looks of the day; whoever comes second to the insert finds the row of the first, and adds to it.
        first = {"user": user, "day": day, "address": address, "created_at": now, "looks": 0}
        new = [GoodsReveal(goods=goods, **first) for goods in found if goods.pk not in seen]
        GoodsReveal.objects.bulk_create(new, ignore_conflicts=True)
        rows.update(looks=F("looks") + 1, last_at=now, last_address=address)
        note_openings(found, now)


def reencrypt_goods() -> int:
    """Encrypt all goods with the newest key that an older one encrypted; return how many. Raises CannotDecrypt."""
    return reencrypt_column(DeliveredGoods.objects.all(), "encrypted")


def _encrypted(lines: Sequence[str]) -> str:
    return encrypt(json.dumps(list(lines)))  # as it came, line breaks included


def _lines(goods: DeliveredGoods) -> list[str]:
    lines: list[str] = json.loads(decrypt(goods.encrypted))
    return lines
