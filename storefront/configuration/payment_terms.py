"""What each way to pay costs, adds and takes at least and at most."""

from decimal import Decimal
from typing import Any

from storefront.configuration.environment import Environment


def payment_terms(env: Environment) -> dict[str, dict[str, Any]]:
    """Return the terms of each gateway, in the store's currency and percent; a demo's are fixed."""
    terms: dict[str, dict[str, Any]] = {
        "stripe": {
            "fee_percent": env.decimal("STRIPE_FEE_PERCENT", "0"),
            "fee_fixed": env.decimal("STRIPE_FEE_FIXED", "0"),
            "bonus_percent": env.decimal("STRIPE_BONUS_PERCENT", "0"),
            "bonus_from": env.decimal("STRIPE_BONUS_FROM", "0"),
            "min": env.decimal("STRIPE_MIN", "1"),
            "max": env.decimal("STRIPE_MAX", "10000"),
        },
        "btcpay": {
            "fee_percent": env.decimal("BTCPAY_FEE_PERCENT", "0"),
            "fee_fixed": env.decimal("BTCPAY_FEE_FIXED", "0"),
            "bonus_percent": env.decimal("BTCPAY_BONUS_PERCENT", "0"),
            "bonus_from": env.decimal("BTCPAY_BONUS_FROM", "0"),
            "min": env.decimal("BTCPAY_MIN", "1"),
            "max": env.decimal("BTCPAY_MAX", "10000"),
        },
        "manual": {
            "fee_percent": env.decimal("MANUAL_FEE_PERCENT", "0"),
            "fee_fixed": env.decimal("MANUAL_FEE_FIXED", "0"),
            "bonus_percent": env.decimal("MANUAL_BONUS_PERCENT", "0"),
            "bonus_from": env.decimal("MANUAL_BONUS_FROM", "0"),
            "min": env.decimal("MANUAL_MIN", "10"),
            "max": env.decimal("MANUAL_MAX", "10000"),
        },
        "demo": {"min": Decimal(1), "max": Decimal(10000)},
    }
    for gateway, term in terms.items():
        env.ordered((f"{gateway.upper()}_MIN", term["min"]), (f"{gateway.upper()}_MAX", term["max"]))
    return terms
