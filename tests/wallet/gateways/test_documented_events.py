"""The events to subscribe to are written down, and what follows from each."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STRIPE = (
    r"(?:checkout\.session|charge|charge\.dispute|charge\.refund|refund|radar\.early_fraud_warning)\.[a-z_]+\b(?!\.)"
)
BTCPAY = r"(?:Invoice|Payout)[A-Z][A-Za-z]+"


@pytest.mark.parametrize("pattern", [STRIPE, BTCPAY], ids=["stripe", "btcpay"])
def test_events_when_subscribed_to_have_a_rule(pattern: str) -> None:
    settings = (ROOT / ".env.example").read_text()
    section = settings[settings.index("# --- Payments") : settings.index("STRIPE_FEE_PERCENT")]
    rules = (ROOT / "docs/money.md").read_text()

    subscribed = set(re.findall(pattern, section))

    assert len(subscribed) >= 9
    assert subscribed <= set(re.findall(rf"`({pattern})`", rules))


def test_events_when_stripe_takes_something_back_are_subscribed_to() -> None:
    """Those of the vendor's list that may follow a payment and move its money."""
    settings = (ROOT / ".env.example").read_text()
    follow = """charge.failed charge.refunded refund.created refund.updated refund.failed charge.dispute.created
        charge.dispute.updated charge.dispute.funds_withdrawn charge.dispute.funds_reinstated charge.dispute.closed"""

    assert [kind for kind in follow.split() if not re.search(rf"\b{re.escape(kind)}\b", settings)] == []
