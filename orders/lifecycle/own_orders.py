"""Staff decides nothing about orders of its own, nor about those of whom they are tied to by a referral."""

from accounts.models import User
from accounts.power import refuse_own_money
from orders.models import Order


def refuse_own_order(actor: User, order: Order) -> None:
    """Raise accounts.power.NotYourOwnMoney where the order is the actor's, or a referral relation's."""
    refuse_own_money(actor, order.user, permission="orders.change_order")
