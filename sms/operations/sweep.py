"""The sweep that exchanges numbers as their buyers wished; safe to repeat and beside itself."""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import Order
from orders.placing.place import OrderRefused
from sms.models import Number, SwapRule
from sms.operations.replace import CodeHasCome, swap_number
from sms.operations.replacement_candidates import best_exchange, exchanges_of
from sms.pricing import number_book
from upstream.client import Client
from wallet.operations import InsufficientFunds

log = structlog.get_logger(__name__)
AT_ONCE = 100
# A sweep that died is followed by another one after this time; a refusal is asked about again after the second.
CLAIMED_FOR = timedelta(seconds=90)
AGAIN_AFTER = timedelta(seconds=30)


def swap_due(*, client: Client, now: datetime | None = None) -> int:
    """Exchange the numbers whose time has come; return how many were.

    What stands against it is told on the number's card, and tried again while the number waits.
    """
    now = now or timezone.now()
    due = SwapRule.objects.filter(next_at__lte=now).select_related("number__order__user", "number__project")
    swapped = 0
    for rule in due.order_by("next_at")[:AT_ONCE]:
        # Only one sweep gets it: whoever read an older time changes nothing.
        ours = SwapRule.objects.filter(pk=rule.pk, number=rule.number, next_at=rule.next_at)
        if not ours.update(next_at=now + CLAIMED_FOR):
            continue
        try:
            swapped += _follow(rule, client, now)
        except Exception:  # the others must not wait for this one
            log.exception("number_not_swapped", order_id=rule.number.order_id)
    return swapped


def _follow(rule: SwapRule, client: Client, now: datetime) -> bool:
    number, order = rule.number, rule.number.order
    if not order.is_open or number.given_up_at is not None or not rule.left:
        _settle(rule, None, "")
        return False
    with translation.override(order.user.mail_language):
        try:
            swapped = _swap(rule, number, order.user, client, now)
        except CodeHasCome:
            _settle(rule, None, "")
            return False
        except OrderRefused as refusal:
            _settle(rule, now + AGAIN_AFTER, str(refusal))
            return False
        except InsufficientFunds:
            _settle(rule, now + AGAIN_AFTER, _("Your balance is too small for another number."))
            return False
    if swapped is None:
        return False
    log.info("number_swapped", order_id=order.pk, swapped_to=swapped.pk)
    return True


def _swap(rule: SwapRule, number: Number, user: User, client: Client, now: datetime) -> Order | None:
    offers = exchanges_of([number], number_book(user))[number.pk]
    best = best_exchange(offers, number, cap_micros=rule.cap_micros, any_country=rule.any_country)
    if best is None:
        raise OrderRefused(_("There is no other number within your price limit at the moment."))
    return swap_number(
        number.order_id,
        user=user,
        project=best.project,
        shown_price_micros=rule.cap_micros,
        request_id=f"exchange:{number.pk}",
        client=client,
        automatic=True,
        now=now,
    )


def _settle(rule: SwapRule, next_at: datetime | None, outcome: str) -> None:
    SwapRule.objects.filter(pk=rule.pk, number=rule.number).update(next_at=next_at, outcome=outcome[:200])
