"""What a customer opted into: another number is taken by itself when no code comes, within their price limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.placing.refusals import OrderRefused
from sms.models import Number, ReplacementRule
from sms.preferences import REPLACED_AFTER

MAX_REPLACEMENTS = 5


@dataclass(frozen=True)
class ReplacementRequest:
    """No new number costs more than `cap_micros`; with `any_country` it may come from another country."""

    cap_micros: int
    any_country: bool = False
    replacements: int = 1

    def rule(self, number: Number) -> ReplacementRule:
        """Return the rule, not saved, for a number that is being bought."""
        return ReplacementRule(number=number, **self.fields(number.created_at))

    def fields(self, since: datetime) -> dict[str, object]:
        """Return the rule's columns for a number that has been waiting since then."""
        seconds = int(REPLACED_AFTER.value.total_seconds())
        return {
            "after_seconds": seconds,
            "cap_micros": self.cap_micros,
            "any_country": self.any_country,
            "left": min(max(self.replacements, 1), MAX_REPLACEMENTS),
            "next_at": since + timedelta(seconds=seconds),
            "outcome": "",
        }


def set_replacement_rule(
    order_id: int, *, user: User, request: ReplacementRequest, now: datetime | None = None
) -> ReplacementRule:
    """Let one of the customer's open numbers be replaced by itself; what was said before no longer counts.

    Raises OrderRefused for a number that does not wait any more, Number.DoesNotExist for a stranger's.
    """
    number = _open_number(order_id, user)
    fields = request.fields(max(now or timezone.now(), number.created_at))
    rule, _created = ReplacementRule.objects.update_or_create(number=number, defaults=fields)
    return rule


def drop_replacement_rule(order_id: int, *, user: User) -> None:
    """Drop a customer's rule; a replacement that is under way may still happen. Nothing to drop is no error.

    The rule may have moved on to the number that was taken instead, while this one was still on the screen.
    """
    number = Number.objects.filter(order__pk=order_id, order__user=user).first()
    while number is not None:
        ReplacementRule.objects.filter(number=number).delete()
        number = Number.objects.filter(replaces=number).first()


def _open_number(order_id: int, user: User) -> Number:
    number = Number.objects.select_related("order").get(order__pk=order_id, order__user=user)
    if not number.order.is_open or number.cancel_requested_at is not None:
        raise OrderRefused(_("This number is no longer waiting for a code."))
    return number
