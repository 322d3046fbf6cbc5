"""The sweep that replaces numbers as their buyers asked for; safe to repeat and beside itself."""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import Order
from orders.placing.refusals import OrderRefused
from sms.models import Number, ReplacementRule
from sms.operations.replace import CodeHasCome, replace_number
from sms.operations.replacement_candidates import best_candidate, candidates_for
from sms.pricing import number_book
from upstream.client import Client
from wallet.operations import InsufficientFunds

log = structlog.get_logger(__name__)
AT_ONCE = 100
# A sweep that died is followed by another one after this time; a refusal is asked about again after the second.
CLAIMED_FOR = timedelta(seconds=90)
AGAIN_AFTER = timedelta(seconds=30)


def replace_due_numbers(*, client: Client, now: datetime | None = None) -> int:
    """Replace the numbers whose time has come; return how many were.

    What stands against it is told on the number's card, and tried again while the number waits.
    """
    now = now or timezone.now()
    due = ReplacementRule.objects.filter(next_at__lte=now).select_related("number__order__user", "number__project")
    replaced = 0
    for rule in due.order_by("next_at")[:AT_ONCE]:
        # Only one sweep gets it: whoever read an older time changes nothing.
        ours = ReplacementRule.objects.filter(pk=rule.pk, number=rule.number, next_at=rule.next_at)
        if not ours.update(next_at=now + CLAIMED_FOR):
            continue
        try:
            replaced += _follow(rule, client, now)
        except Exception:  # the others must not wait for this one
            log.exception("number_not_replaced", order_id=rule.number.order_id)
    return replaced


def _follow(rule: ReplacementRule, client: Client, now: datetime) -> bool:
    number, order = rule.number, rule.number.order
    if not order.is_open or number.cancel_requested_at is not None or not rule.left:
        _settle(rule, None, "")
        return False
    with translation.override(order.user.mail_language):
        try:
            new = _replace(rule, number, order.user, client, now)
        except CodeHasCome:
            _settle(rule, None, "")
            return False
        except OrderRefused as refusal:
            _settle(rule, now + AGAIN_AFTER, str(refusal))
            return False
        except InsufficientFunds:
            _settle(rule, now + AGAIN_AFTER, _("Your balance is too low for another number."))
            return False
    if new is None:
        return False
    log.info("number_replaced", order_id=order.pk, replaced_by=new.pk)
    return True


def _replace(rule: ReplacementRule, number: Number, user: User, client: Client, now: datetime) -> Order | None:
    offers = candidates_for([number], number_book(user))[number.pk]
    best = best_candidate(offers, number, cap_micros=rule.cap_micros, any_country=rule.any_country)
    if best is None:
        raise OrderRefused(_("There is no other number within your price limit right now."))
    return replace_number(
        number.order_id,
        user=user,
        project=best.project,
        shown_price_micros=rule.cap_micros,
        request_id=f"replacement:{number.pk}",
        client=client,
        automatic=True,
        now=now,
    )


def _settle(rule: ReplacementRule, next_at: datetime | None, outcome: str) -> None:
    ReplacementRule.objects.filter(pk=rule.pk, number=rule.number).update(next_at=next_at, outcome=outcome[:200])
