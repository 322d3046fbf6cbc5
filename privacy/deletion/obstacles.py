"""What stands in the way of deleting an account: money first, then whatever may still move some."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.templatetags.money import money
from orders.models import Order, PendingCheckout, ServiceRequest
from wallet.models import OPEN_TOP_UPS, MoneyRequest, TopUp, Wallet
from wallet.operations import owed_by, wallet_of


@dataclass(frozen=True)
class Obstacle:
    """One thing, in words for the customer: what it is and what to do; `url` is where, if there is a page for it."""

    text: str
    url: str = ""


def lock_money(user: User) -> None:
    """Hold the customer's payments and wallet until the transaction ends, in the order callbacks take them in.

    Purchases, callbacks and moves by hand take their turn behind it: what is looked at afterwards is how things are.
    On SQLite the transaction itself holds everything.
    """
    wallet = wallet_of(user)
    list(TopUp.objects.select_for_update().filter(user=user).order_by("pk").values_list("pk", flat=True))
    Wallet.objects.select_for_update().get(pk=wallet.pk)


def obstacles_of(user: User) -> list[Obstacle]:
    """Return what has to be settled before the account can be deleted, the most important first."""
    return [obstacle for look in _LOOKS if (obstacle := look(user)) is not None]


def may_still_change(user: User) -> bool:
    """Whether the supplier may still change one of the customer's finished orders, and money come back with that."""
    return Order.objects.filter(user=user, next_poll_at__isnull=False).exists()


def _debt(user: User) -> Obstacle | None:
    owed_micros = owed_by(user)
    if not owed_micros:
        return None
    text = _("You owe %(amount)s. Add money to settle it.")
    return Obstacle(text % {"amount": money(owed_micros)}, reverse("wallet:home"))


def _balance(user: User) -> Obstacle | None:
    balance_micros = Wallet.objects.values_list("balance_micros", flat=True).get(user=user)
    if not balance_micros:
        return None
    text = _("Your balance is %(amount)s. Spend it, or write to us to have it paid out.")
    return Obstacle(text % {"amount": money(balance_micros)}, reverse("wallet:home"))


def _open_orders(user: User) -> Obstacle | None:
    count = Order.objects.filter(user=user).open().count()
    if not count:
        return None
    text = ngettext(
        "%(count)d order is still under way. Wait until it is finished.",
        "%(count)d orders are still under way. Wait until they are finished.",
        count,
    )
    return Obstacle(text % {"count": count}, reverse("orders:list"))


def _payments(user: User) -> Obstacle | None:
    under_way = TopUp.objects.filter(user=user, status__in=OPEN_TOP_UPS).exists()
    waiting = PendingCheckout.objects.filter(user=user, state=PendingCheckout.State.WAITING).exists()
    if not under_way and not waiting:
        return None
    return Obstacle(_("A payment is under way. Finish it or cancel it."), reverse("wallet:home"))


def _reviews(user: User) -> Obstacle | None:
    looked_at = Q(status__in=[TopUp.Status.REVIEW, TopUp.Status.DISPUTED]) | ~Q(attention="")
    if not TopUp.objects.filter(looked_at, user=user).exists():
        return None
    return Obstacle(_("One of your payments is in review or in dispute. Wait until it is settled, or write to us."))


def _requests(user: User) -> Obstacle | None:
    asked = ServiceRequest.objects.filter(order__user=user, state=ServiceRequest.State.OPEN).exists()
    # Who has money is told of that alone: staff may be about to take some, and it would be spent first.
    by_hand = MoneyRequest.objects.filter(user=user, state=MoneyRequest.State.WAITING, user__wallet__balance_micros=0)
    if not asked and not by_hand.exists():
        return None
    return Obstacle(
        _("One of your requests is still open. Wait for the answer, or write to us."), reverse("orders:list")
    )


_LOOKS = (_debt, _balance, _open_orders, _payments, _reviews, _requests)
