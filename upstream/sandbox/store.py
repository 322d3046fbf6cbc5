"""What the sandbox remembers, in one SQLite file: orders, the money ledger, edits, settings.

Every method is called with the world's lock held, so one connection serves all threads.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from upstream.sandbox.orders import Order, decode_order, encode_order

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, due REAL, phone TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_due ON orders (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_phone ON orders (phone) WHERE phone IS NOT NULL;
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, order_id INTEGER, micros INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS edits (kind TEXT, id TEXT, fields TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""
LEDGER_KINDS = ("opening", "adjusted", "charges", "returned")


def forget(path: Path) -> None:
    """Remove a state file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


class Store:
    """One SQLite file in WAL mode; what was committed outlives the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # The world's lock, not SQLite's thread check, keeps the threads apart.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; the write-ahead log is merged into it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes, or nothing of it when the block raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything."""
        for table in ("meta", "orders", "ledger", "edits"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand one line above

    # --- Single values ---------------------------------------------------------------------------------------------
    def get(self, name: str, default: Any = None) -> Any:
        """Return the remembered value, or the default."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else msgspec.json.decode(row[0])

    def put(self, name: str, value: Any) -> None:
        """Remember a value that JSON can hold."""
        self._db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, msgspec.json.encode(value).decode()),
        )

    def next_id(self) -> int:
        """Return the next order id: one ascending counter for services and numbers."""
        number: int = self.get("next_id")
        self.put("next_id", number + 1)
        return number

    # --- Orders ----------------------------------------------------------------------------------------------------
    def order(self, order_id: int) -> Order | None:
        """Return the order with this id, if there is one."""
        row = self._db.execute("SELECT body FROM orders WHERE id = ?", (order_id,)).fetchone()
        return None if row is None else decode_order(row[0])

    def save_order(self, order: Order) -> None:
        """Insert the order, or write it again."""
        self._db.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET due = excluded.due, phone = excluded.phone, body = excluded.body",
            (order.id, order.due, getattr(order, "phone", None), encode_order(order)),
        )

    def due_orders(self, now: float) -> list[Order]:
        """Return the orders whose time has come, oldest first."""
        rows = self._db.execute("SELECT body FROM orders WHERE due <= ? ORDER BY due, id", (now,))
        return [decode_order(body) for (body,) in rows]

    def orders_after(self, order_id: int) -> list[Order]:
        """Return the orders with a higher id, in the order of their ids."""
        rows = self._db.execute("SELECT body FROM orders WHERE id > ? ORDER BY id", (order_id,))
        return [decode_order(body) for (body,) in rows]

    def orders_of_phone(self, phone: str) -> list[Order]:
        """Return the orders that were given this phone number."""
        rows = self._db.execute("SELECT body FROM orders WHERE phone = ?", (phone,))
        return [decode_order(body) for (body,) in rows]

    # --- Money -----------------------------------------------------------------------------------------------------
    def book(self, kind: str, micros: int, order_id: int | None = None) -> None:
        """Write a ledger row, `micros` as it changes the balance, and change the balance."""
        if kind not in LEDGER_KINDS:
            raise ValueError(kind)
        self._db.execute("INSERT INTO ledger (kind, order_id, micros) VALUES (?, ?, ?)", (kind, order_id, micros))
        self.put("balance_micros", self.balance_micros() + micros)

    def balance_micros(self) -> int:
        """Return the balance of the account."""
        micros: int = self.get("balance_micros", 0)
        return micros

    def ledger_sums(self) -> dict[str, int]:
        """Return the sum of each kind of ledger row, in micros, as it changed the balance."""
        sums = dict(self._db.execute("SELECT kind, SUM(micros) FROM ledger GROUP BY kind").fetchall())
        return {kind: sums.get(kind, 0) for kind in LEDGER_KINDS}

    # --- Edits of the generated catalogs ---------------------------------------------------------------------------
    def edits(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all edited fields of a kind (`service` or `project`), by id."""
        rows = self._db.execute("SELECT id, fields FROM edits WHERE kind = ?", (kind,))
        return {id_: msgspec.json.decode(fields) for id_, fields in rows}

    def save_edit(self, kind: str, id_: str, fields: dict[str, Any]) -> None:
        """Remember the edited fields of one service or project."""
        self._db.execute(
            "INSERT INTO edits VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET fields = excluded.fields",
            (kind, id_, msgspec.json.encode(fields).decode()),
        )

    def drop_edits(self) -> None:
        """Forget all edits: the catalog they belong to is no longer the one on sale."""
        self._db.execute("DELETE FROM edits")
