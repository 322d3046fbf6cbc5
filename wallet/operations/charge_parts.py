"""A sale's debit as two parts of one statement (PostgreSQL): the guarded UPDATE, and the ledger row that says why.

`orders.placing.sale` puts them together with what is sold. They promise what `debit` promises: check and move are one,
and no balance moves without its row. A statement whose debit finds too little writes nothing that is selected `FROM
moved`.
"""

from accounts.fast_queries.insert_parts import InsertPart
from accounts.models import User
from wallet.models import LedgerEntry

# For each row of `bought`, which is one; what was bought goes on to the parts that come after.
MOVED = """
    UPDATE wallet_wallet SET balance_micros = balance_micros - CAST(%s AS bigint)
    FROM bought WHERE wallet_wallet.user_id = %s AND balance_micros >= CAST(%s AS bigint)
    RETURNING wallet_wallet.id, bought.id AS bought_id
"""


def moved_values(user: User, amount_micros: int) -> list[int]:
    """Return the parameters of MOVED. Raises ValueError for an amount of zero or less, as `debit` does."""
    if amount_micros <= 0:
        raise ValueError("an amount of money to move must be above zero")
    return [amount_micros, user.pk, amount_micros]


def booked_part(*, reference: str, source: str) -> InsertPart:
    """Return the part that writes the ledger row of what `moved` took; `reference` is an expression over `source`."""
    given = ("kind", "amount_micros", "note", "created_at")
    return InsertPart(LedgerEntry, given=given, taken={"wallet_id": "moved.id", "reference": reference}, source=source)
