"""A customer reports delivered lines that don't work: kept line by line, with what we know of when they had them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.moments import write_moment
from orders.lifecycle.goods import names_a_secret
from orders.lifecycle.goods_evidence import Evidence, evidence_of
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.listeners import tell_of_changes
from orders.lifecycle.warranty import warranty_ends
from orders.models import GoodsClaim, Order

CLAIMED = "goods_claimed"  # what listeners hear
LONGEST_TEXT = 1_000
LINES_AT_ONCE = 200
REPORTS_A_DAY = 20


class ClaimRefused(Exception):
    """These lines can't be reported so; the text is for the customer, `field` is what it is about. Nothing changed."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


def claim_lines(
    order_id: int, *, user: User, lines: Iterable[int], reason: str, text: str, now: datetime
) -> list[GoodsClaim]:
    """Report lines of the customer's own order, counted from 1, as not working; return a row for each.

    Whoever listens tells support, of everything but the lines themselves. Raises Order.DoesNotExist for anybody
    else's order, ClaimRefused, ValueError for an unknown reason.
    """
    order = Order.objects.select_related("goods", "user", "service").get(pk=order_id, user=user)
    numbers, text, reason = sorted(set(lines)), text.strip(), GoodsClaim.Reason(reason)
    _check(order, numbers, reason, text)
    evidence = evidence_of(order.goods, numbers)
    _check_warranty(order, evidence, now)
    claims = []
    for number in numbers:
        opened_at = evidence[number].first_opened_at
        if opened_at is None:
            raise ClaimRefused(_("Open your goods first: you haven't looked at these lines yet."), "lines")
        claims.append(
            GoodsClaim(
                order=order,
                line=number,
                reason=reason,
                text=text,
                delivered_at=evidence[number].delivered_at,
                first_opened_at=opened_at,
                claimed_at=now,
            )
        )
    try:
        with transaction.atomic():
            # Of two reports at once the second counts the first. NO KEY: who answers an earlier one holds the order,
            # and writes rows that refer to the customer.
            User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk").first()
            _check_limit(user, now)
            GoodsClaim.objects.bulk_create(claims)
            tell_of_changes([order.pk], CLAIMED, now=now)
    except IntegrityError:
        _refuse_claimed(order, numbers)
        raise
    return claims


def _check(order: Order, numbers: Sequence[int], reason: GoodsClaim.Reason, text: str) -> None:
    goods = getattr(order, "goods", None)
    if goods is None:
        raise ClaimRefused(_("Nothing has been delivered yet."))
    if not numbers or numbers[0] < 1 or numbers[-1] > goods.pieces:
        words = ngettext(
            "This order has %(count)d line.", "This order has %(count)d lines: enter numbers up to that.", goods.pieces
        )
        raise ClaimRefused(words % {"count": goods.pieces}, "lines")
    if len(numbers) > LINES_AT_ONCE:
        raise ClaimRefused(_("Report at most %(count)d lines at once.") % {"count": LINES_AT_ONCE}, "lines")
    if reason == GoodsClaim.Reason.OTHER and not text:
        raise ClaimRefused(_("Tell us in a few words what is wrong."), "text")
    if len(text) > LONGEST_TEXT:
        raise ClaimRefused(_("Use at most %(count)d characters.") % {"count": LONGEST_TEXT}, "text")
    _refuse_claimed(order, numbers)
    if names_a_secret(order, text):
        raise ClaimRefused(
            _("Leave logins and passwords out: we can tell from the line numbers which ones you mean."), "text"
        )


def _check_warranty(order: Order, evidence: Mapping[int, Evidence], now: datetime) -> None:
    """Refuse lines that the warranty the order was bought with doesn't cover any more."""
    if order.warranty_hours == 0:
        raise ClaimRefused(
            _(
                "These goods were sold without a warranty. If you didn't get what you ordered, press “Get help” "
                "on the page of your order."
            )
        )
    ends = {number: warranty_ends(order, one.delivered_at) for number, one in evidence.items()}
    over = [number for number, end in ends.items() if end is not None and end < now]
    if over:
        words = ngettext(
            "The warranty of line %(lines)s ended on %(moment)s. If you think we should look at it all the same, "
            "press “Get help” on the page of your order.",
            "The warranty of lines %(lines)s ended on %(moment)s. If you think we should look at them all the same, "
            "press “Get help” on the page of your order.",
            len(over),
        )
        ended = max(end for end in ends.values() if end is not None and end < now)
        raise ClaimRefused(words % {"lines": spans_of(over), "moment": write_moment(ended)}, "lines")


def _refuse_claimed(order: Order, numbers: Sequence[int]) -> None:
    known = list(GoodsClaim.objects.filter(order=order, line__in=numbers).values_list("line", flat=True))
    if known:
        words = ngettext(
            "You have already reported line %(lines)s.", "You have already reported lines %(lines)s.", len(known)
        )
        raise ClaimRefused(words % {"lines": spans_of(known)}, "lines")


def _check_limit(user: User, now: datetime) -> None:
    lately = GoodsClaim.objects.filter(order__user=user, claimed_at__gt=now - timedelta(days=1)).order_by()
    if lately.values("order", "claimed_at").distinct().count() >= REPORTS_A_DAY:
        raise ClaimRefused(
            _("You have sent %(count)d reports within a day. Please write to us instead.") % {"count": REPORTS_A_DAY}
        )
