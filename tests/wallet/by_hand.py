"""Moves of money by hand, for tests."""

import uuid
from typing import Any

from accounts.models import User
from wallet.models import LedgerEntry, MoneyRequest, Wallet
from wallet.operations.manual_moves import move_by_hand


def move(
    user: User, actor: User, amount_micros: int, kind: str = MoneyRequest.Kind.ADJUSTMENT, **fields: Any
) -> MoneyRequest:
    values = {"note": "said sorry", "request_id": str(uuid.uuid4())}
    if kind == MoneyRequest.Kind.WITHDRAWAL:
        values["paid_how"] = "bank transfer"
    return move_by_hand(user=user, kind=kind, amount_micros=amount_micros, actor=actor, **{**values, **fields})


def balance(user: User) -> int:
    return Wallet.objects.get(user=user).balance_micros


def moved_by_hand() -> list[int]:
    return list(LedgerEntry.objects.filter(reference__startswith="request:").values_list("amount_micros", flat=True))
