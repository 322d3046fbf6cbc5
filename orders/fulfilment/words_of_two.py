"""A word of the supplier's that gives back more than one person may move is said by two.

What the first one says is kept on the trail, and nothing follows from it; the second one says the same within a day.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from accounts.models import TrailEntry, User
from accounts.power import NotYourOwnMoney, in_the_same_hands, may_move_money_of
from accounts.templatetags.money import money
from accounts.trail import Action, record
from orders.models import Order
from wallet.operations.second_person import COUNTED_TOGETHER, is_too_much_for_one


class SaidByOne(NotYourOwnMoney):
    """So far one person says it; nothing has changed. The text is for staff."""

    def __init__(self, amount_micros: int) -> None:
        words = _(
            "This can give back up to %(amount)s, which exceeds what one person may move within 24 hours. It is noted "
            "that you said it: nothing changes until a second person says the same within 24 hours."
        )
        Exception.__init__(self, words % {"amount": money(amount_micros)})


def refuse_word_of_one(word: str, *, kind: str, status: str, orders: list[int], actor: User, now: datetime) -> None:
    """Return where one person, or a second one, may say that `word` means `status`, which gives money back.

    `orders` have been reported with the word. Raises SaidByOne, with what the actor said noted.
    """
    left = Order.objects.filter(pk__in=orders).aggregate(sum=Sum(F("price_micros") - F("refunded_micros")))
    amount_micros = left["sum"] or 0
    said = {"word": word, "kind": kind, "means": status}
    with transaction.atomic():
        if not amount_micros or not is_too_much_for_one(actor, amount_micros, now):
            return
        same = TrailEntry.objects.filter(created_at__gt=now - COUNTED_TOGETHER, action=Action.ACTED)
        for name, value in said.items():
            same = same.filter(**{f"after__{name}": value})
        others = User.objects.filter(pk__in=same.values("actor_id")).exclude(pk__in=in_the_same_hands(actor, now=now))
        if any(may_move_money_of(actor, other) for other in others):
            return
        record(Action.ACTED, actor=actor, after=said, now=now)
    raise SaidByOne(amount_micros)
