"""Everything the sandbox holds, behind one lock: what is on sale, orders, money, settings, faults, the log."""

import threading
import time
from collections import Counter, deque
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from upstream.money import decimal_from_micros, micros_from_decimal, text_from_micros
from upstream.sandbox.faults import Faults
from upstream.sandbox.orders import (
    CANCELED,
    PARTIAL,
    NumberOrder,
    Order,
    ServiceOrder,
    Settings,
    accounts_of,
    iso,
    progress,
)
from upstream.sandbox.profiles import CENTS, LIVE, SHARED_IDS, checked_profiles
from upstream.sandbox.profiles.hostile import check_kinds
from upstream.sandbox.profiles.live import separator_of
from upstream.sandbox.sample_services import SampleCatalog
from upstream.sandbox.store import Store

FIRST_ORDER_ID = 23_501
REQUESTS_KEPT = 5_000


class Start(msgspec.Struct, frozen=True):
    """What the process was started with; a reset goes back to it."""

    services: int = 200
    seed: int = 1
    balance: str = "1000.00"
    settings: Settings = msgspec.field(default_factory=Settings)


class World:
    """The state of one stand-in upstream. Callers hold `lock` around everything they do with it."""

    def __init__(self, path: Path, start: Start, given: frozenset[str] = frozenset()) -> None:
        """Open the state file; a new one starts as `start` says.

        An old one goes on where it was; of `start` it takes only what was `given` (`services`, `seed`, `speed`,
        `profiles`).
        """
        self.lock = threading.RLock()
        self.start = start
        self.epoch = 0
        self.requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)
        self.answered: Counter[str] = Counter()  # how often the same call has been answered with the profile `hostile`
        self._read_at: deque[float] = deque()  # the reads of the last second
        self.store = Store(path)
        with self.lock, self.store.transaction():
            if self.store.get("seed") is None:
                self._begin(start)
            if "seed" in given and start.seed != self.store.get("seed"):
                self.store.drop_edits()
                self.store.put("seed", start.seed)
            if "services" in given:
                self.store.put("services", start.services)
            self.seed: int = self.store.get("seed")
            self.settings = msgspec.convert(self.store.get("settings"), Settings)
            self._clock: tuple[float, float] = tuple(self.store.get("clock"))
            for name in {"speed", "profiles"} & given:
                self.change_settings({name: getattr(start.settings, name)})
            self._load_catalog()
        self.faults = Faults(self.seed)

    def reset(self, *, services: int | None, seed: int | None, balance: str | None, speed: float | None) -> None:
        """Forget orders, money, edits, faults and the log; None means as the process was started.

        Raises ValueError for a size, a balance or a speed that cannot be.
        """
        start = self.start
        settings = start.settings if speed is None else msgspec.structs.replace(start.settings, speed=speed)
        start = Start(
            services=start.services if services is None else services,
            seed=start.seed if seed is None else seed,
            balance=start.balance if balance is None else balance,
            settings=checked_settings(msgspec.to_builtins(settings)),
        )
        micros_from_text(start.balance)
        # Made before anything is forgotten: an impossible size leaves everything as it was.
        SampleCatalog(size=start.services, seed=start.seed, save_edit=self.store.save_edit)
        with self.store.transaction():
            self.store.clear()
            self._begin(start)
            self.seed, self.settings = start.seed, start.settings
            self._clock = tuple(self.store.get("clock"))
            self._load_catalog()
        self.faults.clear(start.seed)
        self.requests.clear()
        self.answered.clear()
        self._read_at.clear()
        self.epoch += 1  # a call that still sleeps belongs to the world before

    def _begin(self, start: Start) -> None:
        put = self.store.put
        put("seed", start.seed)
        put("services", start.services)
        put("settings", msgspec.to_builtins(start.settings))
        put("clock", [time.time(), 0.0])
        put("next_id", FIRST_ORDER_ID)
        self.store.book("opening", micros_from_text(start.balance))

    def _load_catalog(self) -> None:
        catalog = SampleCatalog(size=self.store.get("services"), seed=self.seed, save_edit=self.store.save_edit)
        catalog.load(self.store.edits("service"), self.store.edits("project"))
        self.catalog = catalog

    # --- Time ------------------------------------------------------------------------------------------------------
    def now(self) -> float:
        """Return the sandbox's own time: it stands still at speed 0 and goes on across a restart."""
        wall, own = self._clock
        return own + max(0.0, time.time() - wall) * self.settings.speed

    def change_settings(self, fields: dict[str, Any]) -> None:
        """Change settings. Raises ValueError for an unknown name or an impossible value."""
        settings = checked_settings({**msgspec.to_builtins(self.settings), **fields})
        # Read the clock at the old speed before the new one counts.
        self._clock = (time.time(), self.now())
        self.settings = settings
        self.store.put("clock", list(self._clock))
        self.store.put("settings", msgspec.to_builtins(settings))

    # --- Profiles --------------------------------------------------------------------------------------------------
    def has(self, profile: str) -> bool:
        """Say whether the sandbox has these manners now."""
        return profile in self.settings.profiles

    @property
    def status_answers_numbers(self) -> bool:
        """Whether `status` knows orders of `add_sms` as well."""
        return self.settings.status_answers_numbers or self.has(SHARED_IDS)

    def may_read(self) -> bool:
        """Count a read, unless there were as many in the last second as the profile `live` allows."""
        now = time.monotonic()
        while self._read_at and self._read_at[0] <= now - 1:
            self._read_at.popleft()
        if self.has(LIVE) and len(self._read_at) >= self.settings.reads_per_second:
            return False
        self._read_at.append(now)
        return True

    def shown_money(self, micros: int, min_decimals: int = 2) -> str:
        """Return money as an answer shows it: exactly, or in whole cents."""
        if not self.has(CENTS):
            return text_from_micros(micros, min_decimals)
        return str(decimal_from_micros(micros).quantize(Decimal("0.01"), ROUND_HALF_UP))

    # --- Money -----------------------------------------------------------------------------------------------------
    def charge(self, order: Order, micros: int) -> None:
        """Set what an order costs now; the difference is taken from the balance, or given back to it."""
        difference = micros - order.charge_micros
        order.charge_micros = micros
        if difference:
            order.shown.pop("charge", None)
            self.store.book("charges" if difference > 0 else "returned", -difference, order.id)

    def books(self) -> dict[str, Any]:
        """Return opening + adjusted − charges + returned = balance as texts, and whether that holds."""
        self.settle()
        sums = self.store.ledger_sums()
        balance = self.store.balance_micros()
        held = sum(order.charge_micros for order in self.store.orders_after(0))
        return {
            "opening": text_from_micros(sums["opening"]),
            "adjusted": text_from_micros(sums["adjusted"]),
            "charges": text_from_micros(-sums["charges"]),
            "returned": text_from_micros(sums["returned"]),
            "balance": text_from_micros(balance),
            "adds_up": sum(sums.values()) == balance and -sums["charges"] - sums["returned"] == held,
        }

    def set_balance(self, text: str) -> None:
        """Set the balance; the difference is booked as adjusted. Raises ValueError for what is not money."""
        self.settle()
        self.store.book("adjusted", micros_from_text(text) - self.store.balance_micros())

    # --- Orders ----------------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Carry out what has become due: endings, money given back, codes that arrived, stock that is free again."""
        now = self.now()
        for order in self.store.due_orders(now):
            order.due = None
            if isinstance(order, ServiceOrder):
                self._finish(order, order.outcome, order.remains_at_end)
            elif order.code_at is not None:
                self.deliver(order, order.planned_code, f"Your verification code is {order.planned_code}")
            else:
                order.status = "expired"
                self.charge(order, 0)
                self._free_number(order)
            self.store.save_order(order)

    def _finish(self, order: ServiceOrder, status: str, remains: int) -> None:
        order.status = status
        if status == CANCELED:
            self.charge(order, 0)
        elif status == PARTIAL:
            self.charge(order, partial_charge(order, remains))
        # Links are worked on again and again; goods are gone once they were delivered.
        freed = order.quantity if not order.is_product else remains
        if freed:
            self.catalog.move_stock(order.service, freed)

    def deliver(self, order: NumberOrder, code: str, text: str) -> None:
        """Let the code arrive on a number; what it cost stays."""
        if not order.code:
            self._free_number(order)
        order.due = None
        order.status, order.code, order.sms_content = "code_received", code, text

    def _free_number(self, order: NumberOrder) -> None:
        project = self.catalog.project(order.project_id)
        if project is not None:
            self.catalog.edit_project(order.project_id, {"available": project.available + 1})

    def view(self, order: Order) -> dict[str, Any]:
        """Return an order as the control endpoint lists it, with what a status call would show."""
        charge = order.shown.get("charge", text_from_micros(order.charge_micros))
        if isinstance(order, NumberOrder):
            return {
                "id": order.id, "kind": "number", "project": order.project_id, "name": order.name,
                "country": order.country, "phone": order.phone, "quantity": 1, "charge": charge,
                "price": text_from_micros(order.price_micros), "status": order.status, "code": order.code,
                "sms_content": order.sms_content, "expires_at": order.expires, "placed_at": order.placed,
                **order.shown,
            }  # fmt: skip
        status, remains, start_count = progress(order, self.now())
        return {
            "id": order.id, "kind": "service", "service": order.service, "name": order.name,
            "quantity": order.quantity, "link": order.link, "comments": order.comments, "charge": charge,
            "price": text_from_micros(order.price_micros), "status": status, "remains": remains,
            "start_count": start_count, "accounts": self.accounts(order), "placed_at": order.placed,
        }  # fmt: skip

    def accounts(self, order: ServiceOrder) -> list[str]:
        """Return the goods of a delivered product order."""
        given: list[str] | None = order.shown.get("accounts")
        if given is not None:
            return given
        return accounts_of(order, self.seed, separator_of(order.id) if self.has(LIVE) else ":")

    def log(self, entry: dict[str, Any]) -> None:
        """Remember a received call; what is known of it later is written into the same `entry`."""
        entry["at"] = iso(datetime.now(UTC))
        self.requests.append(entry)


def partial_charge(order: ServiceOrder, remains: int) -> int:
    """Return what the delivered part of an order costs, in micros, rounded up."""
    return -(-order.price_micros * (order.quantity - remains) // order.quantity)


def checked_settings(fields: dict[str, Any]) -> Settings:
    """Return settings made of plain values. Raises ValueError for unknown names and impossible values."""
    settings = msgspec.convert(fields, Settings)
    settings.profiles = checked_profiles(settings.profiles)
    check_kinds(settings.damage_kinds)
    for name in ("partial_rate", "canceled_rate", "codeless_rate", "damage_rate"):
        if not 0 <= getattr(settings, name) <= 1:
            raise ValueError(f"{name}: a share from 0 to 1")
    for name in ("speed", "latency_seconds", "number_lifetime_seconds", "page_cap", "reads_per_second"):
        if not 0 <= getattr(settings, name) < 10**9:
            raise ValueError(f"{name}: not below zero")
    return settings


def micros_from_text(text: str) -> int:
    """Return money written as text in micros. Raises ValueError for anything that is not money."""
    try:
        return micros_from_decimal(Decimal(str(text)))
    except InvalidOperation as error:
        raise ValueError(f"not an amount of money: {text}") from error
