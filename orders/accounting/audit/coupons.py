"""What each coupon counts is what has used it."""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from orders.accounting.audit.findings import SHOWN_PROBLEMS, AuditFindings
from orders.models import Coupon


def check_coupons(findings: AuditFindings) -> None:
    """Compare the count of each coupon with the orders that used it and did not come to nothing."""
    findings.problems.extend(_miscounted())


def _miscounted() -> Iterator[str]:
    counted = Coupon.objects.annotate(counted=Count("used", filter=Q(used__freed_at=None)))
    wrong = counted.exclude(uses=F("counted")).order_by("pk").values_list("code", "uses", "counted")
    for code, uses, used in wrong[:SHOWN_PROBLEMS]:
        yield f"coupon {code}: {uses} uses are counted, but {used} orders have used it"
