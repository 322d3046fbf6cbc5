"""Paying for an order directly: the missing part is paid at a gateway, then the order is placed by itself.

A pending checkout keeps what the form held. Whoever notices that its payment is through closes it: as PLACED, at the
price that was promised, or as DROPPED, with the reason told; the money is in the wallet then. Its request id is the
form's own: however often it is tried, and whoever presses the form's button meanwhile, it buys one order.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.models import OrderForm, Service
from catalog.operations.stock import refresh_stock
from catalog.pricing import price_book
from notifications.kinds import PAYMENTS
from notifications.outbox import ASKED_FOR, tell_customer
from orders.lifecycle.coupons import CouponRefused, code_of, discount_for
from orders.models import Checkout, Order, PendingCheckout
from orders.placing.check import check_order, read_link
from orders.placing.denied_links import counting_denials, refuse_denied
from orders.placing.place import check_owes_nothing, draft_order, place_order
from orders.placing.quotes import QuoteNotOurs, read_quote, sign_quote
from orders.placing.refusals import DiscountNotSeen, OrderRefused, PriceChanged, RequestIdReused, check_door
from orders.preferences import PAYMENT_AWAITED
from preferences.doors import ORDERS, TOP_UPS
from wallet.gateways import Gateway, Price, enabled_gateways
from wallet.gateways.base import smallest_unit_micros
from wallet.models import OPEN_TOP_UPS, TopUp
from wallet.operations import (
    InsufficientFunds,
    TopUpRefused,
    WrongStatus,
    cancel_top_up,
    price_top_up,
    start_top_up,
    wallet_of,
)

log = structlog.get_logger(__name__)
State = PendingCheckout.State
BATCH = 100


@dataclass(frozen=True)
class Way:
    """One way to pay what is missing: what it costs, and what stays in the balance once the order is paid."""

    gateway: Gateway
    price: Price
    rest_micros: int


def ways_to_pay(missing_micros: int) -> Iterator[Way]:
    """Yield the gateways that can take what is missing, or the least they take at all; none while they are closed."""
    if TOP_UPS.is_closed:
        return
    unit_micros = smallest_unit_micros(settings.STORE_CURRENCY)
    for name, gateway in enabled_gateways().items():
        wanted_micros = max(missing_micros, gateway.terms.min_micros)
        amount_micros = -(-wanted_micros // unit_micros) * unit_micros
        try:
            price = price_top_up(gateway=name, amount_micros=amount_micros)
        except TopUpRefused:
            continue
        yield Way(gateway, price, price.credit_micros - missing_micros)


def pay_and_order(
    *,
    user: User,
    service: Service,
    quantity: int | None,
    link: str,
    comments: str,
    quote: str,
    coupon: str = "",
    seen_micros: int | None = None,
    request_id: str,
    gateway: str,
    now: datetime,
) -> PendingCheckout | None:
    """Begin the payment of what the wallet is short of for this order, and return what waits for it.

    None: the wallet is not short. A form that is sent again leads to the payment it has begun; one whose payment came
    to nothing begins another. Call it outside any transaction.

    Raises OrderRefused and its kinds as `place_order` does, and wallet.operations.TopUpRefused.
    """
    check_owes_nothing(user)
    link = read_link(service, link)
    refresh_stock(service)
    pieces, lines = check_order(service, quantity=quantity, link=link, comments=comments)
    before = _begun_before(user, request_id, gateway, now)
    if before is not None and before.state != State.DROPPED:
        asked = (service.pk, pieces, link, lines, code_of(coupon))
        if asked != (before.service_id, before.quantity, before.link, before.comments, before.coupon_code):
            raise RequestIdReused
        return before
    check_door(ORDERS)
    with counting_denials(user, now=now):
        refuse_denied(service, link)
    book = price_book(user, now=now)
    draft = draft_order(
        Checkout(user=user), service, book=book, quantity=pieces, link=link, comments=lines, quote=quote, now=now
    )
    floor_micros = book.floor_price_micros(service, pieces)
    price_micros = _with_coupon(draft, coupon, floor_micros=floor_micros, seen_micros=seen_micros, now=now)
    missing_micros = price_micros - wallet_of(user).balance_micros
    if missing_micros <= 0:
        return None
    if TOP_UPS.is_closed:
        raise TopUpRefused(TOP_UPS.message)
    way = next((way for way in ways_to_pay(missing_micros) if way.gateway.name == gateway), None)
    if way is None:
        raise TopUpRefused(_("This payment method isn't available for this amount."))
    wanted = PendingCheckout(
        pk=before.pk if before else None,
        user=user,
        request_id=request_id,
        service=service,
        quantity=pieces,
        link=link,
        comments=lines,
        coupon_code=code_of(coupon),
        quote=quote,
        price_micros=price_micros,
    )
    try:
        start_top_up(
            user=user,
            gateway=gateway,
            amount_micros=way.price.amount_micros,
            beside=lambda top_up: _write(wanted, top_up),
        )
    except (IntegrityError, AlreadyWaiting):  # the same button was pressed twice at once
        return PendingCheckout.objects.select_related("top_up").get(user=user, request_id=request_id)
    return wanted


def _with_coupon(draft: Order, typed: str, *, floor_micros: int, seen_micros: int | None, now: datetime) -> int:
    """Return what is to be paid for the draft with the coupon, which is used when the order is placed."""
    if not code_of(typed):
        return draft.price_micros
    price_micros = draft.price_micros
    try:
        discount = discount_for(draft.user, typed, price_micros=price_micros, floor_micros=floor_micros, now=now)
    except CouponRefused as refusal:
        raise OrderRefused(str(refusal), "coupon") from refusal
    if seen_micros is not None and seen_micros < discount.net_micros:
        raise DiscountNotSeen(discount)
    return discount.net_micros


def _begun_before(user: User, request_id: str, gateway: str, now: datetime) -> PendingCheckout | None:
    """Return what this form has begun, as it stands now; choosing another way to pay ends the payment begun before."""
    before = PendingCheckout.objects.select_related("top_up").filter(user=user, request_id=request_id).first()
    if before is None:
        return None
    # While nothing else can be begun, what was begun stays.
    may_begin = not ORDERS.is_closed and not TOP_UPS.is_closed
    if before.state == State.WAITING and before.top_up.gateway != gateway and may_begin:
        with suppress(WrongStatus):  # under way already: it is that payment which counts
            cancel_top_up(top_up=before.top_up)
    return close_pending_of(before.top_up, now=now)


class AlreadyWaiting(Exception):
    """Somebody has given the dropped checkout another payment since it was read."""


def _write(wanted: PendingCheckout, top_up: TopUp) -> None:
    wanted.top_up = top_up
    if wanted.pk is None:
        wanted.save(force_insert=True)
        return
    values = {
        name: getattr(wanted, name)
        for name in ("top_up", "service", "quantity", "link", "comments", "coupon_code", "quote", "price_micros")
    }
    again = {"state": State.WAITING, "reason": "", "closed_at": None, "created_at": wanted.created_at}
    if not PendingCheckout.objects.filter(pk=wanted.pk, state=State.DROPPED).update(**values, **again):
        raise AlreadyWaiting


def close_pending(*, now: datetime) -> int:
    """Place or drop what waits for payments that are through; return how many were closed. One failure stops none."""
    looked_at = Q(top_up__status=TopUp.Status.REVIEW, top_up__received_micros=0)
    waiting = PendingCheckout.objects.filter(state=State.WAITING)
    through = waiting.exclude(top_up__status__in=OPEN_TOP_UPS).exclude(looked_at)
    closed = 0
    for pk in list(through.order_by("id").values_list("pk", flat=True)[:BATCH]):
        try:
            closed += _close(pk, now)
        except Exception:  # whatever is wrong with one of them, the others have been paid for too
            log.exception("pending_checkout_failed", pending_id=pk)
    return closed


def close_pending_of(top_up: TopUp, *, now: datetime) -> PendingCheckout | None:
    """Place or drop what waits for this payment if it is through, and return how it stands now."""
    waiting = PendingCheckout.objects.select_related("top_up", "service")
    pending = waiting.filter(top_up=top_up).first()
    if pending is None or pending.state != State.WAITING or not _is_through(pending.top_up):
        return pending
    _close(pending.pk, now)
    return waiting.get(pk=pending.pk)


def is_looked_at(top_up: TopUp) -> bool:
    """Whether staff has yet to say what becomes of a payment of which nothing has been booked."""
    return top_up.status == TopUp.Status.REVIEW and not top_up.received_micros


def _is_through(top_up: TopUp) -> bool:
    return top_up.status not in OPEN_TOP_UPS and not is_looked_at(top_up)


def _close(pk: int, now: datetime) -> bool:
    """Close one, unless another does at this moment: who holds its row decides, in one transaction with the order."""
    service = Service.objects.filter(pk__in=PendingCheckout.objects.filter(pk=pk).values("service_id")).first()
    if service is not None:
        refresh_stock(service)  # it may wait: not while the row is held
    with transaction.atomic():
        rows = PendingCheckout.objects.select_related("top_up", "user", "service__category")
        locked = rows.select_for_update(of=("self",), skip_locked=True)
        pending = locked.filter(pk=pk, state=State.WAITING).first()
        # Asked again: a payment that came to nothing may have come in after all, and be looked at since.
        if pending is None or not _is_through(pending.top_up):
            return False
        with translation.override(pending.user.mail_language):
            order, reason = _outcome(pending, now)
            _record(pending, order, reason, now)
    return True


def _outcome(pending: PendingCheckout, now: datetime) -> tuple[Order | None, str]:
    """Return the order, or why there is none."""
    if pending.top_up.status != TopUp.Status.PAID:
        by_hand = Order.objects.filter(user=pending.user, checkout__request_id=pending.request_id).first()
        return by_hand, _why_not_paid(pending.top_up)
    by_lines = pending.service.order_form == OrderForm.COMMENTS
    try:
        order = place_order(
            user=pending.user,
            service=pending.service,
            quantity=None if by_lines else pending.quantity,
            link=pending.link,
            comments=pending.comments,
            quote=_promise(pending, now),
            coupon=pending.coupon_code,
            seen_micros=pending.price_micros,
            request_id=pending.request_id,
            paid_for=True,
            now=now,
        )
    except PriceChanged as change:
        price = money(change.price_micros)
        return None, _("The price has since risen to %(price)s.") % {"price": price}
    except DiscountNotSeen as unseen:
        price = money(unseen.discount.net_micros)
        return None, _("The coupon now takes off less: the price would be %(price)s.") % {"price": price}
    except InsufficientFunds as short:
        amount = money(short.missing_micros)
        return None, _("You were %(amount)s short when the payment arrived.") % {"amount": amount}
    except OrderRefused as refusal:
        return None, str(refusal)
    return order, ""


def _promise(pending: PendingCheckout, now: datetime) -> str:
    """Return the quote with the time it holds while it is being paid; a day later only its price still says something.

    It was read and found good when the payment began.
    """
    ends = pending.created_at + PAYMENT_AWAITED.value
    try:
        quote = read_quote(pending.quote)
    except QuoteNotOurs:  # the key that signed it has been withdrawn
        return pending.quote
    return sign_quote(replace(quote, expires_at=ends)) if now < ends else pending.quote


def _why_not_paid(top_up: TopUp) -> str:
    if top_up.status == TopUp.Status.DECLINED and top_up.confirmed_by_id:
        return _("We couldn't accept the payment.")
    if top_up.status == TopUp.Status.DECLINED:
        return _("The payment failed.")
    if top_up.status == TopUp.Status.EXPIRED:
        return _("The payment wasn't made in time.")
    if top_up.status == TopUp.Status.REVIEW:
        return _("The payment doesn't match what we asked for.")
    return _("The payment was reversed.")


def _record(pending: PendingCheckout, order: Order | None, reason: str, now: datetime) -> None:
    state = State.PLACED if order else State.DROPPED
    reason = "" if order else reason[:300]
    PendingCheckout.objects.filter(pk=pending.pk).update(state=state, order=order, reason=reason, closed_at=now)
    log.info("pending_checkout_closed", pending_id=pending.pk, state=state, reason=reason)
    credited_micros = pending.top_up.credited_micros
    if order or not credited_micros:
        return  # no money came in: whoever declines a payment knows it
    subject, body = words_of_drop(pending, reason)
    key = f"{ASKED_FOR}pending:{pending.pk}:{pending.top_up_id}"
    # It is about their money, so it is no news about orders.
    tell_customer(pending.user, key, subject, body, now, kind=PAYMENTS, url=reverse("wallet:home"))


def words_of_drop(pending: PendingCheckout, reason: str) -> tuple[str, str]:
    """Return subject and text by which the customer is told that the money came and the order was not placed."""
    figures = {
        "title": pending.service.title,
        "reason": reason,
        "credited": money(pending.top_up.credited_micros),
        "url": settings.SITE_URL + reverse("orders:place", args=[pending.service_id]),
    }
    body = render_to_string("orders/mail/not_placed.txt", figures).strip()
    return _("Your order was not placed; the money is in your balance"), body
