"""Nobody gave themselves money: who made a coupon did not use it, who decided about an order did not place it.

Nor did somebody whom they brought to the shop, or who brought them. What was done before the shop refused it is no
breach; see `_refused_since`.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F, Q, QuerySet

from accounts.power import are_tied
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings
from orders.models import CouponUse, OrderEvent, RefundReason

BEGAN_WITH = ("orders", "0024_makers_of_coupons")
Code = OrderEvent.Code


def check_own_favors(findings: AuditFindings) -> None:
    """Find coupons used by their makers, and orders that staff settled or refunded for itself or a referral."""
    findings.problems.extend(_own_coupons())
    findings.problems.extend(_own_orders())


def _own_coupons() -> Iterator[str]:
    # What was used before somebody raised the coupon was no favor of theirs.
    since = Q(created_at__gte=F("coupon__makers__created_at"))
    uses = CouponUse.objects.filter(since & are_tied("coupon__makers__user", "user"))
    rows = uses.order_by("pk").values_list("coupon__code", "order", "user__email", "coupon__makers__user__email")
    for code, order, customer, maker in rows[:SHOWN_PROBLEMS]:
        yield f"coupon {code}, which {maker} made or raised, was used for order {order} of {_whose(customer, maker)}"


def _own_orders() -> Iterator[str]:
    decided = Q(code=Code.RESOLVED) | Q(code=Code.REFUNDED, data__why=RefundReason.STAFF)
    by_staff: QuerySet[OrderEvent] = OrderEvent.objects.filter(decided, actor__isnull=False)
    events = by_staff.filter(are_tied("actor", "order__user"))
    since = _refused_since()
    if since is not None:
        events = events.filter(created_at__gte=since)
    rows = events.order_by("order", "pk").values_list("order", "actor__email", "order__user__email").distinct()
    for order, staff, customer in dict.fromkeys(rows[:SHOWN_PROBLEMS]):
        yield f"order {order} of {_whose(customer, staff)} was settled by {staff}"


def _whose(customer: str, staff: str) -> str:
    return "themselves" if customer == staff else f"{customer}, whom they are tied to by a referral,"


def _refused_since() -> datetime | None:
    """Return when the version that refuses such decisions was put in place here.

    Older ones cannot be taken back, and a finding that never goes hides the next one.
    """
    app, name = BEGAN_WITH
    applied = MigrationRecorder(connection).migration_qs.filter(app=app, name=name)
    return applied.values_list("applied", flat=True).first()
