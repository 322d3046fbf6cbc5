"""Until when the supplier hears complaints about delivered lines, and the warning of staff before that ends."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.outbox import tell_admins, with_admin_page
from orders.lifecycle.line_numbers import spans_of
from orders.models import GoodsClaim
from orders.preferences import COMPLAINT_HOURS

LONGEST_NOTICE = timedelta(hours=6)  # before the end, or a quarter of the time where that is less
AT_ONCE = 1_000


def complaint_deadline(delivered_at: datetime) -> datetime | None:
    """Return until when upstream hears complaints about what came at that moment; None where that isn't known."""
    hours = COMPLAINT_HOURS.value
    return delivered_at + timedelta(hours=hours) if hours else None


def warn_of_deadlines(*, now: datetime) -> int:
    """Tell the admins of waiting claims whose deadline is near, each once, a mail a report; return how many claims.

    One whose deadline is over is not told of: nothing can be done any more.
    """
    hours = timedelta(hours=COMPLAINT_HOURS.value)
    if not hours:
        return 0
    ends = now - hours
    near = GoodsClaim.objects.filter(
        state=GoodsClaim.State.WAITING,
        warned_at=None,
        delivered_at__gt=ends,
        delivered_at__lte=ends + min(LONGEST_NOTICE, hours / 4),
    )
    reports: dict[tuple[int, datetime], list[GoodsClaim]] = defaultdict(list)
    for claim in near.select_related("order").order_by("delivered_at", "line")[:AT_ONCE]:
        reports[claim.order_id, claim.claimed_at].append(claim)
    return sum(_warn(claims, now) for claims in reports.values())


def _warn(claims: list[GoodsClaim], now: datetime) -> int:
    """Note of these claims that they are told of, and do; of two workers one does."""
    with transaction.atomic():
        untold = GoodsClaim.objects.filter(
            pk__in=[claim.pk for claim in claims], warned_at=None, state=GoodsClaim.State.WAITING
        )
        if untold.update(warned_at=now) != len(claims):
            transaction.set_rollback(True)  # answered or told of a moment ago: the next round sees which
            return 0
        _tell(claims, now)
    return len(claims)


def _tell(claims: list[GoodsClaim], now: datetime) -> None:
    first = claims[0]
    with translation.override(settings.LANGUAGE_CODE):
        until = complaint_deadline(first.delivered_at)
        subject = _("Order #%(number)s: the time to complain about its goods ends soon") % {"number": first.order_id}
        moment = "" if until is None else f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        body = [
            first.order.title,
            "",
            _("Lines: %(lines)s") % {"lines": spans_of(claim.line for claim in claims)},
            _("Reason: %(reason)s") % {"reason": first.get_reason_display()},
            _("The supplier hears complaints until %(moment)s.") % {"moment": moment},
            _("Upstream order: %(id)s") % {"id": first.order.upstream_id or "–"},
        ]
        key = f"claim-deadline:{first.order_id}:{first.line}"
        tell_admins(key, subject, with_admin_page("\n".join(body), first), now)
