"""Top-ups from the customer's and from the staff's side: begin, declare, cancel, confirm, decline."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from upstream.money import text_from_micros
from wallet.gateways import Gateway, Price, Unreachable, find_gateway, understood
from wallet.gateways.base import smallest_unit_micros
from wallet.models import OPEN_TOP_UPS, TopUp
from wallet.operations.apply_payment_update import settle
from wallet.receipts import issue_receipt

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


class OwnPayment(WrongStatus):
    """Nobody confirms a payment into their own wallet. The text is for staff."""

    def __init__(self) -> None:
        super().__init__(_("This is a payment into your own wallet: a colleague has to confirm it."))


def price_top_up(*, gateway: str, amount_micros: int) -> Price:
    """Return fee, bonus and total of adding `amount_micros` through a gateway. Raises TopUpRefused."""
    terms, currency = _offered(gateway).terms, settings.STORE_CURRENCY
    minimum, maximum = terms.min_micros, terms.max_micros or MAX_MICROS
    if amount_micros % smallest_unit_micros(currency):
        raise TopUpRefused(_("This amount has more decimal places than the currency allows."), "amount")
    if amount_micros < max(minimum, 1):
        text = _("The minimum amount is %(amount)s.")
        raise TopUpRefused(text % {"amount": text_from_micros(max(minimum, smallest_unit_micros(currency)))}, "amount")
    if amount_micros > maximum:
        raise TopUpRefused(_("The maximum amount is %(amount)s.") % {"amount": text_from_micros(maximum)}, "amount")
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


def confirm_top_up(*, top_up: TopUp, received_micros: int, actor: User, now: datetime | None = None) -> TopUp:
    """Staff has seen `received_micros` arrive in all: credit it less the fee, or what is more than was booked before.

    A gateway that speaks for itself is not overruled: its payments are confirmed only where they wait for staff. Raises
    WrongStatus, OwnPayment for one's own, or ValueError for no more than is booked already or than the fee takes.
    """
    with transaction.atomic():
        row = _locked(top_up)
        unpaid = row.gateway == "manual" and row.status in (*OPEN_TOP_UPS, Status.EXPIRED, Status.DECLINED)
        if not unpaid and row.status != Status.REVIEW:
            raise WrongStatus(_("This payment is not waiting for confirmation."))
        if actor.pk == row.user_id:
            raise OwnPayment
        if received_micros <= max(row.received_micros, row.fee_micros):
            raise ValueError(received_micros)
        now = now or timezone.now()
        changes = {
            "received_micros": received_micros,
            "paid_at": row.paid_at or now,
            "status": Status.PAID,
            "attention": "",
            "confirmed_by": actor,
        }
        settle(row, changes, now=now, actor=actor)
    return row


def decline_top_up(*, top_up: TopUp, actor: User) -> None:
    """Staff has found that nothing came in. Raises WrongStatus when something has been booked."""
    waits = TopUp.objects.filter(pk=top_up.pk, status__in=[*OPEN_TOP_UPS, Status.REVIEW], received_micros=0)
    if not waits.update(status=Status.DECLINED, attention="", confirmed_by=actor, next_check_at=None):
        raise WrongStatus(_("This payment can no longer be declined."))


def close_review(*, top_up: TopUp, actor: User) -> None:
    """Staff has looked and leaves what is booked as it is. Raises WrongStatus when there was nothing to look at.

    A payment that the fee took whole stays in review: it is not paid as long as nothing was credited.
    """
    booked = TopUp.objects.filter(pk=top_up.pk, received_micros__gt=0).exclude(attention="")
    with transaction.atomic():
        reviewed = booked.filter(status=Status.REVIEW, credited_micros__gt=0).update(
            status=Status.PAID, attention="", confirmed_by=actor
        )
        if not reviewed and not booked.update(attention="", confirmed_by=actor):
            raise WrongStatus(_("There is nothing to close."))
        if reviewed:
            issue_receipt(_locked(top_up), now=timezone.now())


def ask_soon(top_up: TopUp) -> None:
    """Let the next sweep ask the gateway: somebody is waiting for the answer."""
    now = timezone.now()
    TopUp.objects.filter(pk=top_up.pk, status__in=OPEN_TOP_UPS, next_check_at__gt=now).update(next_check_at=now)


def _offered(name: str) -> Gateway:
    gateway = find_gateway(name)
    if gateway is None:
        raise TopUpRefused(_("This payment method isn't available."), "gateway")
    return gateway


def _locked(top_up: TopUp) -> TopUp:
    return TopUp.objects.select_for_update(of=("self",)).select_related("user").get(pk=top_up.pk)
