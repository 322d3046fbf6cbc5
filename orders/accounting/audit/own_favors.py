"""Nobody gave themselves money: who made a coupon did not use it, who decided about an order did not place it.

Nor did somebody whom they brought to the shop, or who brought them. What staff settled before RULES_CAME_WITH was
applied is counted and not judged: it cannot be taken back, and a finding that never goes hides the next one.
"""

from collections.abc import Iterator

from django.db.models import F, Q, QuerySet

from accounts.power import are_tied
from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings, applied_at
from orders.models import CouponUse, OrderEvent, RefundReason

RULES_CAME_WITH = ("orders", "0024_makers_of_coupons")
Code = OrderEvent.Code


def check_own_favors(findings: AuditFindings) -> None:
    """Find coupons used by their makers, and orders that staff settled or refunded for itself or a referral."""
    findings.problems.extend(_own_coupons())
    orders, began = _own_orders(), applied_at(*RULES_CAME_WITH)
    judged = orders if began is None else orders.filter(created_at__gte=began)
    rows = judged.order_by("order", "pk").values_list("order", "actor__email", "order__user__email")
    for order, staff, customer in dict.fromkeys(rows[:SHOWN_PROBLEMS]):
        findings.problems.append(f"order {order} of {_whose(customer, staff)} was settled by {staff}")
    if began is not None and (older := orders.filter(created_at__lt=began).values("order").distinct().count()):
        findings.figures.append(("orders settled for oneself before these rules, not judged", str(older)))


def _own_coupons() -> Iterator[str]:
    # What was used before somebody raised the coupon was no favor of theirs.
    since = Q(created_at__gte=F("coupon__makers__created_at"))
    uses = CouponUse.objects.filter(since & are_tied("coupon__makers__user", "user"))
    rows = uses.order_by("pk").values_list("coupon__code", "order", "user__email", "coupon__makers__user__email")
    for code, order, customer, maker in rows[:SHOWN_PROBLEMS]:
        yield f"coupon {code}, which {maker} made or raised, was used for order {order} of {_whose(customer, maker)}"


def _own_orders() -> QuerySet[OrderEvent]:
    decided = Q(code=Code.RESOLVED) | Q(code=Code.REFUNDED, data__why__in=(RefundReason.STAFF, RefundReason.CLAIM))
    by_staff: QuerySet[OrderEvent] = OrderEvent.objects.filter(decided, actor__isnull=False)
    return by_staff.filter(are_tied("actor", "order__user"))


def _whose(customer: str, staff: str) -> str:
    return "themselves" if customer == staff else f"{customer}, whom they are tied to by a referral,"
