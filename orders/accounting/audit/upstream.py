"""The money on the upstream account: opening and paid in, less what was charged, plus what was given back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.long_statements import long_statements
from orders.accounting.audit.findings import AuditFindings, total
from orders.attempts.losses import IN_QUESTION
from orders.fulfilment.margin import REDUCED
from orders.fulfilment.rate_units import CENT_MICROS
from orders.models import OPEN, FoundOrder, LostAttempt, LostAttemptQuerySet, Order, RestoreGap, Status, UpstreamEntry
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.money import micros_from_decimal
from upstream.money import text_from_micros as _text

# Upstream names what an order costs after all. Where it did not do all of it, the rest of the cost came back.
PART_GIVEN_BACK = Q(status__in=REDUCED, charge_upstream_micros__lt=F("cost_upstream_micros"))

# What an order should not have cost for the part that was not delivered; nothing where multiplying could leave 64 bits.
_SMALL = Q(remains__gte=0, remains__lt=10**9, cost_upstream_micros__lt=10**9)
_NOT_DELIVERED = Case(
    When(_SMALL & Q(status=Status.PARTIAL), then=F("cost_upstream_micros") * F("remains") / F("quantity")),
    default=Value(0),
    output_field=BigIntegerField(),
)
ROUNDING = F("charge_upstream_micros") - F("cost_upstream_micros") + _NOT_DELIVERED
_HALF_A_CENT = CENT_MICROS // 2
IN_CENTS = Q(upstream_id__isnull=False, beyond_cents=0, rounding__gte=-_HALF_A_CENT, rounding__lte=_HALF_A_CENT)


def check_upstream(findings: AuditFindings, client: Client | None, *, now: datetime) -> None:
    """Upstream money = opening + paid in − charges (net of what upstream gave back), within the tolerance."""
    currency = settings.UPSTREAM_CURRENCY
    opening = UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).first()
    if opening is None:
        findings.figures.append(("upstream: balance", "not compared: no order has been sent yet"))
        return
    if earlier := total(UpstreamEntry.objects.filter(pk__lt=opening.pk), "amount_upstream_micros"):
        findings.add("upstream: entered before the opening, which holds it", earlier, currency)
    before = explained(now)
    findings.add("upstream: opening and paid in", before.paid_in, currency)
    findings.add("upstream: charged for our orders", before.charged + before.given_back, currency)
    findings.add("upstream: given back, as it says", before.given_back, currency)
    if before.found or before.gap_is_open:
        findings.add("upstream: found after a restore, of no order here", before.found, currency)
    findings.add("upstream: balance expected", before.expected, currency)
    if rounded := before.rounded_up + before.rounded_down:
        findings.add("upstream: charges shown in cents, rounded by", rounded, currency)
    if client is None:
        findings.figures.append(("upstream: balance", "not compared: no upstream is configured"))
        return
    try:
        balance = micros_from_decimal(client.balance().balance)
    except UpstreamError as error:
        findings.unread = f"upstream's balance could not be read: {error}"
        findings.problems.append(findings.unread)
        return
    after = explained(now)  # the shop has gone on sending: the balance belongs somewhere between the two
    tolerance = micros_from_decimal(settings.AUDIT_TOLERANCE)
    findings.add("upstream: balance", balance, currency)
    findings.add("upstream: unexplained", balance - before.expected, currency)
    minimum, maximum = min(before.minimum, after.minimum), max(before.maximum, after.maximum)
    if not minimum - tolerance <= balance <= maximum + tolerance:
        why = " (not all that a restored database has forgotten was asked about yet)" if after.gap_is_open else ""
        findings.problems.append(
            f"upstream's balance is {_text(balance)} {currency}, but our orders explain {_text(before.expected)}{why}"
        )


@dataclass(frozen=True)
class Explained:
    """What our rows say about the upstream account, in micros of its currency."""

    paid_in: int
    charged: int  # less what was given back; what was found after a restore is in it
    given_back: int
    maybe_charged: int
    maybe_back: int
    rounded_up: int  # by how much charges shown in whole cents are above what the orders should have cost
    rounded_down: int
    found: int  # charged for what was found after a restore and is of no order here
    gap_is_open: bool  # whether there may be more of it

    @property
    def expected(self) -> int:
        return self.paid_in - self.charged

    @property
    def minimum(self) -> int:
        return self.expected - self.maybe_charged - self.rounded_down

    @property
    def maximum(self) -> int:
        return self.expected + self.maybe_back + self.rounded_up


@long_statements()
def explained(audit_began: datetime) -> Explained:
    """Add up what was paid in and charged, and by how much the balance may honestly differ from that.

    What is still open, or was given back to the customer, upstream may have given back without our having asked since;
    an order whose answer never came may or may not have been charged, refunded or not; and one that was sent since the
    audit began may have been charged for when the balance was read, and given back by now. A charge that is what the
    order costs but for its rounding to cents was perhaps taken exactly.
    """
    placed = Q(upstream_id__isnull=False)
    in_doubt = Q(status__in=(Status.SENDING, Status.UNKNOWN)) | Q(sent_at__gte=audit_began) | IN_QUESTION
    given_up = placed & Q(status__in=(*OPEN, Status.CANCELED, Status.FAILED))
    charge = Coalesce("charge_upstream_micros", "cost_upstream_micros")
    perhaps_twice = _perhaps_twice()  # before those that are: what moves on meanwhile may be in both, never in none
    # One statement: an order that moves on meanwhile is in exactly one of the sums.
    sums = Order.objects.annotate(rounding=ROUNDING, beyond_cents=F("charge_upstream_micros") % CENT_MICROS).aggregate(
        charged=Sum(charge, filter=placed),
        given_back=Sum(F("cost_upstream_micros") - F("charge_upstream_micros"), filter=placed & PART_GIVEN_BACK),
        maybe_charged=Sum("cost_upstream_micros", filter=Q(in_doubt)),
        maybe_back=Sum(charge, filter=given_up),
        rounded_up=Sum(ROUNDING, filter=IN_CENTS & Q(rounding__gt=0)),
        rounded_down=Sum(-ROUNDING, filter=IN_CENTS & Q(rounding__lt=0)),
    )
    twice, (found, counted_twice) = _twice(), _found()
    return Explained(
        paid_in=total(UpstreamEntry.objects.counted(), "amount_upstream_micros"),
        charged=(sums["charged"] or 0) + twice + found,
        given_back=sums["given_back"] or 0,
        maybe_charged=(sums["maybe_charged"] or 0) + perhaps_twice + counted_twice,
        maybe_back=(sums["maybe_back"] or 0) + twice + found,  # nobody asks about them any more
        rounded_up=sums["rounded_up"] or 0,
        rounded_down=sums["rounded_down"] or 0,
        found=found,
        gap_is_open=RestoreGap.objects.filter(finished_at=None).exists(),
    )


def _found() -> tuple[int, int]:
    """Return what was charged for what was found after a restore and is of no order here; and what may come on top.

    Where `status` answers for all kinds of orders one of them was found as each kind. If the kinds are counted apart,
    these are two orders.
    """
    by_id: dict[str, list[int]] = {}
    for upstream_id, charge in FoundOrder.objects.of_nobody().values_list("upstream_id", "charge_upstream_micros"):
        by_id.setdefault(upstream_id, []).append(charge or 0)
    once = sum(max(charges) for charges in by_id.values())
    return once, sum(sum(charges) for charges in by_id.values()) - once


def _perhaps_twice() -> int:
    """Return the cost of the attempts that staff called not placed, should upstream have them all the same."""
    abandoned = LostAttempt.objects.filter(state=LostAttempt.State.ABANDONED)
    return total(abandoned, "order__cost_upstream_micros")


def _twice() -> int:
    return sum(charge for _attempt, charge in charges_beside(LostAttempt.objects.all()))


def charges_beside(attempts: LostAttemptQuerySet) -> Iterator[tuple[LostAttempt, int]]:
    """Yield what upstream charged for orders beside the one that is followed: it was sent again, then both came.

    Amounts are in upstream's micros; the attempts come with their orders.
    """
    for attempt in attempts.losses_beside().select_related("order"):
        charge = attempt.charge_upstream_micros
        yield attempt, attempt.order.cost_upstream_micros if charge is None else charge
