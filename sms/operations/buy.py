"""Buying numbers, one order each."""

from contextlib import suppress
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiKey, User
from orders.fulfilment.solvency import can_afford
from orders.models import Checkout, ForwardingPause, Kind, Order
from orders.placing.place import check_out, take_payment
from orders.placing.refusals import OrderRefused, PriceChanged, RequestIdReused, check_door
from preferences.doors import NUMBERS
from sms.formats.phones import digits_of
from sms.limits import check_limits
from sms.merging import former_ids
from sms.models import Number, Project, ReplacementRule
from sms.operations.replacement_rules import ReplacementRequest
from sms.pricing import NumberBook, number_book, number_price_micros

MAX_AT_ONCE = 10


def buy_numbers(
    *,
    user: User,
    project: Project,
    quantity: int = 1,
    shown_price_micros: int | None = None,
    request_id: str,
    reuse_phone: str = "",
    api_key: ApiKey | None = None,
    replacement: ReplacementRequest | None = None,
    forgets_ids: bool = False,
) -> list[Order]:
    """Take money for 1 to 10 numbers and return their orders, one each, `paid` and waiting to be forwarded.

    The same `request_id` with the same values returns the orders it made the first time. `shown_price_micros` is the
    price of one number that the customer saw; `api_key` is whose daily limit it counts for; `replacement` is what
    should happen by itself when no code comes. With `forgets_ids` an id used too long ago to be remembered buys anew.

    Raises OrderRefused, Closed, PriceChanged, DailyLimitReached, wallet.operations.InsufficientFunds; nothing has
    changed then.
    """
    reuse_phone = own_phone(user, project, reuse_phone) if reuse_phone else ""
    asked: dict[str, Any] = {"quantity": quantity, "reuse_phone": reuse_phone}
    if replacement is not None:
        asked["replacement"] = [replacement.cap_micros, replacement.any_country, replacement.replacements]

    def buy(checkout: Checkout) -> list[Order]:
        fresh = Project.objects.select_related("country", "site").get(pk=project.pk)
        check_purchase(user, fresh, quantity, reuse_phone)
        book = number_book(user)
        price_micros = number_price_micros(fresh, user, book)
        if shown_price_micros is not None and shown_price_micros != price_micros:
            raise PriceChanged(price_micros, price_micros * quantity)
        orders = [
            sell_number(checkout, fresh, price_micros, book, reuse_phone=reuse_phone) for _each in range(quantity)
        ]
        # After the money is taken: the wallet is this transaction's now, and nobody buys beside it unseen.
        check_limits(user, now=timezone.now())
        if replacement is not None:
            ReplacementRule.objects.bulk_create(replacement.rule(order.number) for order in orders)
        return orders

    once: dict[str, Any] = {"request_id": request_id, "asked": asked, "forgets_ids": forgets_ids}
    return check_out_for(project, user=user, **once, buy=buy, api_key=api_key)


def check_out_for(project: Project, *, asked: dict[str, Any], **rest: Any) -> list[Order]:
    """Check out as `check_out` does, with the same `request_id` also for what was asked for by a former id of it.

    Whoever repeats a purchase word for word after two projects became one means the purchase that was made before.
    """
    try:
        return check_out(asked={**asked, "project": project.pk}, **rest)
    except RequestIdReused:
        for former in former_ids(project):
            with suppress(RequestIdReused):
                return check_out(asked={**asked, "project": former}, **rest)
        raise


def own_phone(user: User, project: Project, typed: str) -> str:
    """Return the customer's own number of this project as upstream spelt it, however it is typed; else what was typed.

    Digits are compared: a plus sign in an address that was not escaped arrives as a blank.
    """
    own = Number.objects.filter(order__user=user, project=project).exclude(phone="").order_by()
    known = set(own.values_list("phone", flat=True))
    if typed in known:
        return typed
    wanted, dial_code = digits_of(typed, project.country.dial_code), project.country.dial_code
    return min((phone for phone in known if wanted & digits_of(phone, dial_code)), default=typed)


def check_purchase(user: User, project: Project, quantity: int, reuse_phone: str = "") -> None:
    """Raise OrderRefused when this cannot be sold now; the project comes with its country and site."""
    check_door(NUMBERS)
    if not project.is_on_sale:
        raise OrderRefused(_("These numbers are no longer sold."))
    if not 1 <= quantity <= MAX_AT_ONCE:
        raise OrderRefused(_("Buy between 1 and %(maximum)d numbers at once.") % {"maximum": MAX_AT_ONCE}, "quantity")
    if project.price_upstream_micros <= 0:
        raise OrderRefused(_("These numbers have no price right now."))
    # Who buys a number waits in front of the screen: better a plain no than an order that cannot be sent.
    paused = ForwardingPause.objects.filter(ended_at=None).exists()
    if paused or not can_afford(project.price_upstream_micros * quantity):
        raise OrderRefused(_("Numbers can't be bought right now. Please try again in a few minutes."))
    if reuse_phone:
        if quantity != 1:
            raise OrderRefused(_("Only one number can be reused at a time."), "quantity")
        if not Number.objects.filter(order__user=user, project=project, phone=reuse_phone).exists():
            raise OrderRefused(_("You haven't had this number for this website or app."), "reuse_phone")


def sell_number(
    checkout: Checkout,
    project: Project,
    price_micros: int,
    book: NumberBook,
    *,
    reuse_phone: str = "",
    replaces: Number | None = None,
) -> Order:
    """Take the price of one number and return its order; call it inside the checkout's transaction.

    Raises wallet.operations.InsufficientFunds.
    """
    order = take_payment(
        Order(
            user=checkout.user,
            checkout=checkout,
            kind=Kind.NUMBER,
            title=project.sold_title[:500],
            quantity=1,
            price_micros=price_micros,
            rate_micros=price_micros,
            rate_upstream_micros=project.price_upstream_micros,
            rate_per=1,
            cost_upstream_micros=project.price_upstream_micros,
            exchange_rate_micros=book.book.exchange_rate_micros,
            pricing=book.terms(project),
        ),
        now=timezone.now(),
    )
    Number.objects.create(
        order=order,
        project=project,
        reuse_phone=reuse_phone,
        replaces=replaces,
        created_at=order.created_at,
    )
    return order
