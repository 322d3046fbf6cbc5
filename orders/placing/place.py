"""Taking an order: check it, price it, take the money and write the row, all in one transaction."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.fast_queries.inserts import insert_row
from accounts.keys.spending import spend_with_key
from accounts.models import ApiKey, User
from catalog.models import Service
from catalog.operations.stock import refresh_stock
from catalog.pricing import PriceBook, price_book
from catalog.titles.warranty import warranty_hours
from orders.lifecycle.cashback import open_cashback, promise_cashback
from orders.lifecycle.coupons import (
    CouponRefused,
    claim_coupon,
    code_of,
    record_use,
)
from orders.lifecycle.discounts import Discount
from orders.lifecycle.referrals import open_earning
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import Checkout, Order
from orders.placing.check import check_amounts, check_order, check_price_was_told, kept_link, read_link
from orders.placing.denied_links import counting_denials, refuse_denied
from orders.placing.promised_losses import loss_left_micros, take_loss
from orders.placing.quotes import (
    Agreed,
    QuoteNotOurs,
    Today,
    agree,
    read_quote,
)
from orders.placing.refusals import (
    AccountBlocked,
    DiscountNotSeen,
    MoneyOwed,
    NotQuoted,
    OrderRefused,
    PriceChanged,
    QuoteRefused,
    RequestIdReused,
    check_door,
)
from orders.placing.request_ids import release_request_id
from orders.placing.sale import take_price, write_order, write_placed, write_sale
from preferences.doors import ORDERS
from preferences.keeping import REQUEST_IDS_KEPT
from upstream.money import MICROS
from wallet.models import LedgerEntry
from wallet.operations import InsufficientFunds, OwesMoney, check_may_buy, credit

log = structlog.get_logger(__name__)


def place_order(
    *,
    user: User,
    service: Service,
    quantity: int | None,
    link: str,
    comments: str = "",
    quote: str | None = None,
    coupon: str = "",
    seen_micros: int | None = None,
    request_id: str,
    api_key: ApiKey | None = None,
    by_list: bool = False,
    paid_for: bool = False,
    forgets_ids: bool = False,
    now: datetime,
) -> Order:
    """Take an order for a service and its money; return the order, `paid` and waiting to be forwarded.

    The same `request_id` with the same values returns the order it made the first time. For services ordered by
    comments the quantity is the number of comment lines. The service comes as it was read for this request, with its
    category: reading it again a moment later would prove no more; of a limited one upstream is asked what is left.
    `quote` is the signed price the customer saw (see orders.placing.quotes), "" for none; None takes today's price,
    whatever it is. `coupon` is a code as it was typed; `seen_micros` is what the customer saw they pay with it, so that
    they never pay more, and None takes whatever it comes to. `api_key` is whose daily limit it counts for. `by_list`
    says that prices are known from the list, where there is none while the rate unit is not confirmed. `paid_for` says
    that it is under way, by a payment that was begun for it: then it is taken even while orders are closed.
    With `forgets_ids` a request id that was used too long ago to be remembered buys anew. Call it outside any
    transaction.

    Raises OrderRefused (with the field at fault), LinkDenied, Closed, PriceChanged, NotQuoted, QuoteRefused,
    DiscountNotSeen, RequestIdReused, DailyLimitReached, wallet.operations.InsufficientFunds; nothing has changed then.
    """
    link, coupon = read_link(service, link), code_of(coupon)
    refresh_stock(service)
    asked = {"service": service.pk, "quantity": quantity, "link": link, "comments": comments}
    if coupon:
        asked["coupon"] = coupon

    def buy(checkout: Checkout) -> list[Order]:
        if not paid_for:
            check_door(ORDERS)
        if by_list:
            check_price_was_told(service)
        pieces, comment_lines = check_order(service, quantity=quantity, link=link, comments=comments)
        refuse_denied(service, link)
        book = price_book(user, now=now)
        ordered: dict[str, Any] = {"quantity": pieces, "link": link, "comments": comment_lines}
        order = draft_order(checkout, service, book=book, quote=quote, now=now, **ordered)
        if quote and order.accepted_loss_micros:
            until = read_quote(quote).expires_at
            if not take_loss(user, service, order.accepted_loss_micros, until=until, now=now):
                raise PriceChanged(book.rate_micros(service), book.price_micros(service, pieces))
        if not coupon:
            return [take_payment(order, api_key=api_key, now=now)]
        terms: dict[str, Any] = {"floor_micros": book.floor_price_micros(service, pieces), "seen_micros": seen_micros}
        sold = _take_payment_with_coupon(order, coupon, **terms, now=now)
        if api_key is not None:
            spend_with_key(api_key, sold.price_micros)
        return [sold]

    # A coupon is claimed before its order is written: there a repeat has to be known for one earlier.
    ahead = bool(coupon)
    with counting_denials(user, now=now):
        once: dict[str, Any] = {"request_id": request_id, "asked": asked, "forgets_ids": forgets_ids}
        return check_out(user=user, **once, buy=buy, ahead=ahead)[0]


def draft_order(
    checkout: Checkout,
    service: Service,
    *,
    book: PriceBook,
    quantity: int,
    link: str,
    comments: str = "",
    quote: str | None = None,
    quoted_rate_micros: int | None = None,
    now: datetime,
) -> Order:
    """Return the order, priced and not saved, of a service that `check_order` has passed; it comes with its category.

    What the customer saw was a signed `quote`, or a rate per thousand, or neither: then today's price is taken.
    Raises PriceChanged when it is dearer than what they saw and no promise covers it, NotQuoted, QuoteRefused,
    OrderRefused when it comes to nothing, TooMuchMoney.
    """
    check_amounts(service, quantity, book)
    cost_upstream_micros = book.cost_upstream_micros(service, quantity)
    today = Today(
        price_micros=book.price_micros(service, quantity),
        rate_micros=book.rate_micros(service),
        rate_per=service.rate_per,
        cost_micros=-(-cost_upstream_micros * book.exchange_rate_micros // MICROS),
    )
    agreed = Agreed(today.price_micros, today.rate_micros)
    if quote is not None:
        agreed = _agreed(quote, checkout.user, service, quantity, today, now)
    # Per thousand, so that a changed rate unit is seen as well as a changed rate.
    elif quoted_rate_micros is not None and quoted_rate_micros < book.rate_per_thousand_micros(service):
        raise PriceChanged(today.rate_micros, today.price_micros)
    if agreed.price_micros <= 0:
        raise OrderRefused(_("This service has no price right now."))
    return Order(
        user=checkout.user,
        checkout=checkout,
        title=service.sold_title,
        service=service,
        quantity=quantity,
        link=kept_link(service, link),
        comments=comments,
        price_micros=agreed.price_micros,
        rate_micros=agreed.rate_micros,
        rate_upstream_micros=service.rate_upstream_micros,
        rate_per=service.rate_per,
        cost_upstream_micros=cost_upstream_micros,
        exchange_rate_micros=book.exchange_rate_micros,
        pricing=book.terms(service),
        accepted_loss_micros=agreed.accepted_loss_micros,
        warranty_hours=warranty_hours(service),
    )


def _agreed(signed: str, user: User, service: Service, quantity: int, today: Today, now: datetime) -> Agreed:
    if not signed:
        raise NotQuoted(quantity, today.price_micros)
    try:
        quote = read_quote(signed)
    except QuoteNotOurs:
        raise QuoteRefused from None
    if (quote.user_id, quote.service_id) != (user.pk, service.pk):
        raise QuoteRefused
    if quote.quantity != quantity:
        raise NotQuoted(quantity, today.price_micros)
    agreed = agree(quote, today, now=now, max_loss_micros=loss_left_micros(user, service, now=now))
    if agreed is None:
        raise PriceChanged(today.rate_micros, today.price_micros)
    return agreed


def check_out(
    *,
    user: User,
    request_id: str,
    asked: dict[str, Any],
    buy: Callable[[Checkout], list[Order]],
    api_key: ApiKey | None = None,
    ahead: bool = True,
    forgets_ids: bool = False,
) -> list[Order]:
    """Run `buy` in one transaction, once per customer and request id; a repeat returns the orders of the first time.

    With `forgets_ids` an id that was used before REQUEST_IDS_KEPT is free again: of almost no purchase that is asked.
    The checkout is written `ahead` of `buy`, or else by `buy`, together with its one order. What they cost counts for
    the daily limit of `api_key`; without one, `buy` has seen to it where a key was used. Raises AccountBlocked,
    RequestIdReused when the same id comes with other values, MoneyOwed, accounts.keys.spending.DailyLimitReached, and
    whatever `buy` raises.
    """
    if not user.is_active:
        raise AccountBlocked
    fingerprint = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    checkout = Checkout(user=user, request_id=request_id, fingerprint=fingerprint)
    try:
        with transaction.atomic():
            if ahead:
                insert_row(checkout)
            orders = buy(checkout)
            if api_key is not None:
                spend_with_key(api_key, sum(order.price_micros for order in orders))
            return orders
    except InsufficientFunds:
        # Whatever comes in pays first what is owed: who owes has nothing in the wallet, so it is enough to ask now.
        check_owes_nothing(user)
        raise
    except Exception as refusal:
        # The same button was pressed before, or twice at once: the constraint is asked instead of the table, first. A
        # refusal that came before the checkout could be written is none for what has been bought already.
        if not isinstance(refusal, IntegrityError):
            if ahead:
                raise
            _wait_for_the_same(user, request_id)
        free = forgets_ids and release_request_id(user, request_id, before=timezone.now() - REQUEST_IDS_KEPT.value)
        bought = None if free else _bought_before(user, request_id, fingerprint)
        if bought is None and forgets_ids and isinstance(refusal, IntegrityError):
            # It stood in nobody's way but its own, here or in another call that has just freed it.
            return check_out(user=user, request_id=request_id, asked=asked, buy=buy, api_key=api_key, ahead=ahead)
        if bought is None:
            raise
        return bought


def _wait_for_the_same(user: User, request_id: str) -> None:
    """Return when no other request with this id is being carried out: the constraint makes an INSERT wait for it."""
    with suppress(IntegrityError), transaction.atomic():
        insert_row(Checkout(user=user, request_id=request_id))
        transaction.set_rollback(True)


def check_owes_nothing(user: User) -> None:
    """Raise MoneyOwed when the customer has to pay something back before buying anything."""
    try:
        check_may_buy(user)
    except OwesMoney as owes:
        raise MoneyOwed(str(owes)) from owes


def _bought_before(user: User, request_id: str, fingerprint: str) -> list[Order] | None:
    checkout = Checkout.objects.filter(user=user, request_id=request_id).first()
    if checkout is None:
        return None
    if checkout.fingerprint != fingerprint:
        raise RequestIdReused
    return list(checkout.orders.order_by("id"))


def take_payment(
    order: Order, discount: Discount | None = None, *, api_key: ApiKey | None = None, now: datetime
) -> Order:
    """Save a new order and take its price; call it inside a transaction. Raises InsufficientFunds, DailyLimitReached.

    Without a discount the price counts for the daily limit of the `api_key` it is bought with. With one the order's
    price is what is left, and the ledger gets two rows: the discount given first, so that the wallet needs no more than
    what is left, and then the whole price taken.
    """
    order.created_at = now
    promise_cashback(order)
    if discount is None:
        write_sale(order, api_key=api_key, now=now)
    else:
        write_order(order)
        credit(
            user=order.user,
            amount_micros=discount.discount_micros,
            kind=LedgerEntry.Kind.DISCOUNT,
            reference=f"order:{order.pk}:coupon",
            note=discount.code,
        )
        take_price(order, discount.discount_micros)
        write_placed(order, now=now, coupon=discount.code, discount_micros=discount.discount_micros)
    open_earning(order)
    open_cashback(order)
    transaction.on_commit(partial(log.info, "order_taken", order_id=order.pk, kind=order.kind))
    wake_forwarder(order.pk)
    return order


def _take_payment_with_coupon(
    order: Order, typed: str, *, floor_micros: int, seen_micros: int | None, now: datetime
) -> Order:
    """Use the coupon for a priced order and take what is left of its price. Raises OrderRefused, DiscountNotSeen."""
    try:
        coupon, discount = claim_coupon(
            order.user, typed, price_micros=order.price_micros, floor_micros=floor_micros, now=now
        )
        if seen_micros is not None and seen_micros < discount.net_micros:
            raise DiscountNotSeen(discount)
        order.price_micros = discount.net_micros
        order.pricing |= {"coupon": discount.code, "coupon_micros": discount.discount_micros}
        take_payment(order, discount, now=now)
        record_use(coupon, order, discount)
    except CouponRefused as refusal:
        raise OrderRefused(str(refusal), "coupon") from refusal
    return order
