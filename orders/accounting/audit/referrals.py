"""Whoever referred a customer got what each earning says, and nothing else was credited as such."""

from orders.accounting.audit.earnings import misfits
from orders.accounting.audit.findings import AuditFindings
from orders.models import ReferralEarning
from wallet.models import LedgerEntry


def check_referrals(findings: AuditFindings) -> None:
    """Compare each credited earning with the ledger row of its order, in its referrer's wallet."""
    columns = {"owner": "earning.referrer_id", "earned": "earning.amount_micros"}
    kind = LedgerEntry.Kind.REFERRAL
    findings.problems.extend(misfits(ReferralEarning, kind=kind, words="by referral", **columns))
