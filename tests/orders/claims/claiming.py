"""What tests of claims do again and again: answer some lines, and look at what came of it."""

from django.utils import timezone

from orders.accounting.audit import audit
from orders.claims.answering import answer_claims
from orders.models import Order
from wallet.models import LedgerEntry

EACH = 1_875_000
COST = 1_500_000


def answer(order, actor, kind, *lines, text="", **options):
    return answer_claims(order.pk, kind=kind, lines=lines, text=text, actor=actor, now=timezone.now(), **options)


def states(order) -> dict[int, str]:
    return dict(order.goods_claims.order_by("line").values_list("line", "state"))


def refunds(order) -> list[int]:
    mine = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND, reference__startswith=f"order:{order.pk}:")
    return list(mine.order_by("id").values_list("amount_micros", flat=True))


def books_add_up() -> None:
    assert audit(client=None, now=timezone.now()).problems == []


def fresh(order) -> Order:
    return Order.objects.get(pk=order.pk)
