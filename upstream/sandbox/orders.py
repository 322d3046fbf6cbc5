"""An order and its way: everything follows from the plan made when it was placed and from the sandbox's clock.

Times named `*_at` here are seconds of the sandbox's own clock, which runs `speed` times as fast as the wall's.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from upstream.sandbox.catalog import PRODUCT
from upstream.sandbox.numbers import DIAL_CODES, national_number

PENDING, IN_PROGRESS, COMPLETED = "Pending", "In progress", "Completed"
PARTIAL, CANCELED = "Partial", "Canceled"
SLOW, WAIT = "slow", "wait"
SLOW_SECONDS = 6 * 3600.0
# Words in the link of an order that say what becomes of it, where the settings allow that: for whoever tries the shop.
FATES = {"demo-partial": PARTIAL, "demo-cancel": CANCELED, "demo-done": COMPLETED, "demo-slow": SLOW, "demo-wait": WAIT}


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What the control endpoint can set. Rates are shares from 0 to 1; seconds are seconds at speed 1."""

    key: str = "sandbox-key"
    speed: float = 1.0
    latency_seconds: float = 0.0
    error_status: int = 200
    partial_rate: float = 0.10
    canceled_rate: float = 0.08
    number_lifetime_seconds: float = 120.0
    code_delay_seconds: float | None = None  # None: 5 to 25 seconds, drawn per number
    codeless_rate: float = 0.10
    links_tell: bool = False  # whether an order's link may say how it ends, see FATES
    currency: str = "USD"  # of every amount
    status_answers_numbers: bool = False  # whether `status` knows orders of `add_sms` as well
    page_cap: int = 0  # rows of `services` on a page at most, asked for or not; 0: as many as there are
    profiles: tuple[str, ...] = ()  # see `upstream.sandbox.profiles`
    reads_per_second: int = 20  # with the profile `live`: what is asked beyond that is refused
    # With the profile `hostile`. A row of a long list is damaged a quarter as often as a field of another answer.
    damage_rate: float = 0.1
    damage_kinds: tuple[str, ...] = ()  # none named: all of them
    damage_fields: tuple[str, ...] = ()  # none named: all of them; a named one is damaged at the whole rate


class ServiceOrder(msgspec.Struct, tag="service"):
    """An order of a service, with its plan: when it starts, when it ends, and how."""

    id: int
    service: int
    name: str
    goods: str
    quantity: int
    link: str
    comments: str
    price_micros: int
    charge_micros: int
    placed: str
    start_at: float
    due: float | None
    finish_at: float
    outcome: str
    remains_at_end: int
    start_count: int
    status: str = ""  # empty: as the clock says
    shown: dict[str, Any] = {}  # msgspec gives each instance its own

    @property
    def is_product(self) -> bool:
        return self.goods == PRODUCT


class NumberOrder(msgspec.Struct, tag="number"):
    """One rented number, with its plan: when its code arrives (never, when None), when it expires."""

    id: int
    project_id: str
    name: str
    country: str
    phone: str
    price_micros: int
    charge_micros: int
    placed: str
    expires: str
    code_at: float | None
    due: float | None
    planned_code: str
    status: str = "active"
    code: str = ""
    sms_content: str = ""
    shown: dict[str, Any] = {}  # msgspec gives each instance its own


Order = ServiceOrder | NumberOrder
encode_order = msgspec.json.Encoder().encode
decode_order = msgspec.json.Decoder(Order).decode


def iso(moment: datetime) -> str:
    """Return a moment as the document writes it: 2023-01-01T12:00:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dice(seed: int, order_id: int) -> random.Random:
    """Return the generator of one order: what becomes of it depends on the seed and its id alone."""
    return random.Random(f"order:{seed}:{order_id}")


def plan_service_order(
    fields: dict[str, Any], *, order_id: int, seed: int, settings: Settings, now: float, charge_micros: int
) -> ServiceOrder:
    """Return the order with its plan; `fields` has service, name, goods, quantity, link and comments."""
    rng = dice(seed, order_id)
    product = fields["goods"] == PRODUCT
    start_at = now + rng.uniform(3, 10 if product else 30)
    finish_at = start_at + (rng.uniform(5, 30) if product else rng.uniform(45, 150))
    draw, quantity = rng.random(), fields["quantity"]
    remains = rng.randint(1, max(1, quantity * 6 // 10))
    fate = _told_fate(fields["link"]) if settings.links_tell else ""
    if fate == WAIT:
        start_at, finish_at = start_at + SLOW_SECONDS, finish_at + SLOW_SECONDS
    elif fate == SLOW:
        finish_at = start_at + SLOW_SECONDS
    if fate:
        canceled, partial = float(fate == CANCELED), float(fate == PARTIAL)
    else:
        canceled, partial = settings.canceled_rate, settings.partial_rate
    if draw < canceled:
        outcome, remains, finish_at = CANCELED, quantity, start_at
    elif draw < canceled + partial and quantity > 1:
        outcome = PARTIAL
    else:
        outcome, remains = COMPLETED, 0
    return ServiceOrder(
        **fields, id=order_id, price_micros=charge_micros, charge_micros=charge_micros,
        placed=iso(datetime.now(UTC)), start_at=start_at, due=finish_at, finish_at=finish_at, outcome=outcome,
        remains_at_end=remains, start_count=0 if product else rng.randint(0, 25_000),
    )  # fmt: skip


def _told_fate(link: str) -> str:
    return next((fate for word, fate in FATES.items() if word in link), "")


def plan_number_order(
    fields: dict[str, Any], *, order_id: int, seed: int, settings: Settings, now: float
) -> NumberOrder:
    """Return the number with its plan; `fields` has project_id, name, country, price_micros and perhaps a phone."""
    rng = dice(seed, order_id)
    country = fields["country"]
    phone = f"+{DIAL_CODES.get(country, '1')}{national_number(country, rng.randint(10**9, 10**10 - 1))}"
    delay = settings.code_delay_seconds
    drawn = rng.uniform(5, 25)
    code_at = now + (drawn if delay is None else delay)
    ends_at = now + settings.number_lifetime_seconds
    coming = rng.random() >= settings.codeless_rate and code_at <= ends_at
    # The expiry that callers see is wall time; while the clock stands still it is what speed 1 would give.
    lifetime = settings.number_lifetime_seconds / (settings.speed or 1)
    placed = datetime.now(UTC)
    return NumberOrder(
        id=order_id, project_id=fields["project_id"], name=fields["name"], country=fields["country"],
        phone=fields.get("phone") or phone, price_micros=fields["price_micros"],
        charge_micros=fields["price_micros"], placed=iso(placed),
        expires=iso(placed + timedelta(seconds=lifetime)), code_at=code_at if coming else None,
        due=code_at if coming else ends_at, planned_code=str(rng.randint(100_000, 999_999)),
    )  # fmt: skip


def progress(order: ServiceOrder, now: float) -> tuple[str, Any, Any]:
    """Return status, remains and start count at a time of the sandbox's clock."""
    if order.status:
        status, remains = order.status, remains_when(order)
    elif now < order.start_at:
        status, remains = PENDING, order.quantity
    else:
        to_do = order.quantity - order.remains_at_end
        share = (now - order.start_at) / max(0.001, order.finish_at - order.start_at)
        status, remains = IN_PROGRESS, order.quantity - int(to_do * min(0.99, share))
    return status, order.shown.get("remains", remains), order.shown.get("start_count", order.start_count)


def remains_when(order: ServiceOrder) -> int:
    """Return what remains of an order whose status is settled, when nobody said otherwise."""
    if order.status == COMPLETED:
        return 0
    if order.status == order.outcome == PARTIAL:
        return order.remains_at_end
    return order.quantity


def accounts_of(order: ServiceOrder, seed: int, separator: str = ":") -> list[str]:
    """Return the goods of a delivered product order, one `mail:password:recovery mail` each; else nothing."""
    if not order.is_product or order.status not in (COMPLETED, PARTIAL):
        return []
    remains = order.shown.get("remains", remains_when(order))
    delivered = order.quantity - remains if isinstance(remains, int) else order.quantity
    rng = dice(seed, -order.id)
    goods = []
    for _ in range(delivered):
        mail, spare = f"user{rng.randint(10**5, 10**6)}", f"spare{rng.randint(10**4, 10**5)}"
        goods.append(separator.join((f"{mail}@example.com", f"{rng.getrandbits(48):012x}", f"{spare}@example.net")))
    return goods
