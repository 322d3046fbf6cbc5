"""Top-ups from the customer's side: begin, declare, cancel."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from preferences.doors import TOP_UPS
from wallet.gateways import Gateway, Price, Unreachable, find_gateway, understood
from wallet.gateways.base import smallest_unit_micros
from wallet.models import OPEN_TOP_UPS, TopUp

log = structlog.get_logger(__name__)
Status = TopUp.Status

FIRST_CHECK = timedelta(minutes=1)
# A payment whose gateway never told how long it can be paid.
LIFETIME = timedelta(days=1)
MAX_AN_HOUR = 30
MAX_MICROS = 10**15  # a milliard: beyond it somebody's keyboard is stuck


class TopUpRefused(Exception):
    """No payment was begun. The text is for the customer; `field` names what in the form was wrong, if anything."""

    def __init__(self, text: str, field: str = "") -> None:
        self.field = field
        super().__init__(text)


class WrongStatus(Exception):
    """The payment is not in a state in which this can be done; nothing has changed."""


def price_top_up(*, gateway: str, amount_micros: int) -> Price:
    """Return fee, bonus and total of adding `amount_micros` through a gateway. Raises TopUpRefused."""
    terms, currency = _offered(gateway).terms, settings.STORE_CURRENCY
    minimum, maximum = terms.min_micros, terms.max_micros or MAX_MICROS
    if amount_micros % smallest_unit_micros(currency):
        raise TopUpRefused(_("This amount has more decimal places than the currency allows."), "amount")
    if amount_micros < max(minimum, 1):
        text = _("The minimum amount is %(amount)s.")
        raise TopUpRefused(text % {"amount": money(max(minimum, smallest_unit_micros(currency)))}, "amount")
    if amount_micros > maximum:
        raise TopUpRefused(_("The maximum amount is %(amount)s.") % {"amount": money(maximum)}, "amount")
    return terms.price(amount_micros, currency)


def start_top_up(
    *,
    user: User,
    gateway: str,
    amount_micros: int,
    return_path: str = "",
    beside: Callable[[TopUp], object] | None = None,
) -> TopUp:
    """Begin a payment of `amount_micros` (what the wallet is to get) and return it; its `pay_url` is where it is paid.

    The row is written before the gateway is called, so that a payment nobody remembers cannot exist; no transaction may
    be open around this. `return_path` is the page to come back to, the payment's own by default. `beside` writes
    what belongs to the payment, in the same transaction. Raises TopUpRefused, and what `beside` raises.
    """
    if TOP_UPS.is_closed:
        raise TopUpRefused(TOP_UPS.message)
    price = price_top_up(gateway=gateway, amount_micros=amount_micros)
    now = timezone.now()
    if TopUp.objects.filter(user=user, created_at__gt=now - timedelta(hours=1)).count() >= MAX_AN_HOUR:
        raise TopUpRefused(
            _("You have started too many payments in the last hour. Finish one of them, or try again later.")
        )
    with transaction.atomic():
        top_up = TopUp.objects.create(
            user=user,
            gateway=gateway,
            currency=settings.STORE_CURRENCY,
            amount_micros=price.amount_micros,
            fee_micros=price.fee_micros,
            bonus_micros=price.bonus_micros,
            pay_micros=price.pay_micros,
            created_at=now,
            expires_at=now + LIFETIME,
            next_check_at=now + FIRST_CHECK,
        )
        if beside:
            beside(top_up)
    path = return_path or reverse("wallet:payment", args=[top_up.reference])
    try:
        started = understood(_offered(gateway).start, top_up, f"{settings.SITE_URL}{path}")
    except Unreachable as error:
        log.error("payment_not_started", gateway=gateway, reference=top_up.reference, error=str(error))
        TopUp.objects.filter(pk=top_up.pk, status=Status.CREATED).update(status=Status.DECLINED, next_check_at=None)
        raise TopUpRefused(
            _("This payment method isn't responding right now. Try another one, or try again later.")
        ) from error
    TopUp.objects.filter(pk=top_up.pk).update(
        pay_url=started.pay_url, gateway_id=started.gateway_id, expires_at=started.expires_at
    )
    top_up.refresh_from_db()
    return top_up


def declare_transfer(*, top_up: TopUp, note: str) -> None:
    """The customer says that the transfer has been made; it waits for staff from now on. Raises WrongStatus."""
    declared = TopUp.objects.filter(pk=top_up.pk, gateway="manual", status__in=[Status.CREATED, Status.EXPIRED])
    text = _("The customer says the transfer has been made.")
    if not declared.update(status=Status.PENDING, note=note[:200], attention=text, next_check_at=None):
        raise WrongStatus(_("This payment is not waiting for a transfer."))


def cancel_top_up(*, top_up: TopUp) -> None:
    """Stop waiting for a payment that has not begun; if it is paid all the same, it is credited. Raises WrongStatus."""
    if not TopUp.objects.filter(pk=top_up.pk, status=Status.CREATED).update(status=Status.EXPIRED):
        raise WrongStatus(_("This payment can no longer be canceled."))


def ask_soon(top_up: TopUp) -> None:
    """Let the next sweep ask the gateway: somebody is waiting for the answer."""
    now = timezone.now()
    TopUp.objects.filter(pk=top_up.pk, status__in=OPEN_TOP_UPS, next_check_at__gt=now).update(next_check_at=now)


def _offered(name: str) -> Gateway:
    gateway = find_gateway(name)
    if gateway is None:
        raise TopUpRefused(_("This payment method isn't available."), "gateway")
    return gateway
