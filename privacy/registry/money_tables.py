"""Money: what the law wants kept stays, without the words around it."""

from typing import Any

from django.db.models import Q

from privacy.registry.kinds import Emptied, Export, LeftOut, Stays, Table

BOOKS = "the books: amounts, dates and references have to be kept, and no row of them can be changed"


def _without_what_staff_reads(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out notes but of a transfer, where the customer says how it was paid: the others are of banks and staff.

    Whoever is told that a bank suspects fraud spends the money first.
    """
    return {**row, "note": row["note"] if row["gateway"] == "manual" else ""}


MONEY_TABLES = (
    Table("wallet.Wallet", Export("wallet", ("balance_micros", "created_at")), Stays(BOOKS), owner="user"),
    Table(
        "wallet.LedgerEntry",
        Export("ledger", ("id", "created_at", "kind", "amount_micros", "reference", "note")),
        Stays(BOOKS + ". A note names an order's title, a payment or a coupon; of moves by hand, what staff wrote"),
        owner="wallet__user",
        others=("created_by",),
    ),
    Table(
        "wallet.TopUp",
        Export(
            "payments",
            (
                *("reference", "created_at", "paid_at", "gateway", "gateway_id", "status", "currency"),
                *("amount_micros", "fee_micros", "bonus_micros", "pay_micros", "received_micros", "credited_micros"),
                *("refunded_micros", "disputed_micros", "reversed_micros", "note"),
            ),
            opened=_without_what_staff_reads,
        ),
        Emptied(
            {"note": "", "pay_url": ""}, "the books: what was paid, when and by which number at the payment provider"
        ),
        owner="user",
        others=("confirmed_by",),
    ),
    Table(
        "wallet.GatewayEvent",
        LeftOut("what a payment provider told us, word for word; what came of it is exported with the payment"),
        Emptied({"headers": {}, "body": "", "address": None}, "that the provider told us, of which payment, and when"),
        owner="top_up__user",
    ),
    Table(
        "wallet.Receivable",
        Export("debts", ("created_at", "amount_micros", "paid_micros", "note", "settled_at")),
        Stays(BOOKS),
        owner="user",
        others=("top_up",),
    ),
    Table(
        "wallet.MoneyRequest",
        # What waits for a second person, or was turned down, is between members of staff.
        Export(
            "moves_by_hand",
            ("created_at", "kind", "amount_micros", "paid_how", "note", "state", "decided_at"),
            only=Q(state="done"),
        ),
        Stays("the books: why money was moved by hand, how it was paid out, and who decided it"),
        owner="user",
        others=("asked_by", "decided_by"),
    ),
    Table(
        "wallet.Receipt",
        Export(
            "receipts",
            (
                *("number", "created_at", "payment=top_up__reference", "seller", "currency"),
                *("total_micros", "tax_percent", "tax_micros"),
            ),
        ),
        Stays("tax law: receipts are kept as they were issued. They name no buyer, only the account's number"),
        owner="user",
        others=("top_up",),
    ),
)
