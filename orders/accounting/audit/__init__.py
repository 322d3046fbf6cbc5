"""The books, proved: every balance, payment, sale and move by hand, and the money on the upstream account."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from accounts.long_statements import long_statements
from orders.accounting.audit.cashback import check_cashback
from orders.accounting.audit.claims import check_claims
from orders.accounting.audit.coupons import check_coupons
from orders.accounting.audit.findings import AuditFindings
from orders.accounting.audit.manual_entries import check_moves_by_hand
from orders.accounting.audit.own_favors import check_own_favors
from orders.accounting.audit.payments import check_payments
from orders.accounting.audit.referrals import check_referrals
from orders.accounting.audit.sales import check_sales
from orders.accounting.audit.trail import check_trail
from orders.accounting.audit.two_people import check_two_people
from orders.accounting.audit.upstream import check_upstream
from orders.accounting.audit.wallets import check_wallets
from upstream.client import Client

__all__ = ["AuditFindings", "audit", "audits_too"]

Check = Callable[[AuditFindings], None]
_checks_from_above: list[Check] = []


def audits_too(check: Check) -> None:
    """Have what is reckoned from the books checked with them: a room above registers itself once."""
    _checks_from_above.append(check)


def audit(*, client: Client | None, now: datetime, everything: bool = False) -> AuditFindings:
    """Check every invariant of the books and return what was found. `client` None leaves out upstream's own balance;
    `everything` looks at the whole trail instead of the last days.

    Amounts are compared to the micro; only the upstream balance has a tolerance (AUDIT_TOLERANCE). Each comparison is
    one statement, so that what the shop books meanwhile is on both sides of it or on neither.
    """
    findings = AuditFindings()
    with long_statements():
        check_wallets(findings)
        check_sales(findings)
        check_claims(findings, settings.STORE_CURRENCY)
        check_coupons(findings)
        check_payments(findings)
        check_referrals(findings)
        check_cashback(findings)
        check_moves_by_hand(findings)
        check_own_favors(findings)
        check_two_people(findings)
    check_upstream(findings, client, now=now)
    with long_statements():
        check_trail(findings, now=now, everything=everything)
        for check in _checks_from_above:
            check(findings)
    return findings
