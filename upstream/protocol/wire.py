"""HstockPlus wire values: what every answer is read into. `upstream.protocol.parsing` turns bodies into them.

Source of all shapes: HstockPlus API document, "Customer API", read 2026-11-23; what users of the live server report
besides is tolerated, never needed.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

Row = TypeVar("Row")


class Rows(list[Row]):
    """The rows of an answer that could be read; `set_aside` names the others."""

    def __init__(self, *rows: Row) -> None:
        super().__init__(rows)
        self.set_aside: list[SetAside] = []


class CategoryRow(msgspec.Struct, frozen=True):
    """A category and the names of its subcategories.

    The filters of `services` take names as upstream spelled them: those are kept where reading has changed something,
    `subcategories_sent` in the order of `subcategories`.
    """

    category: str
    subcategories: list[str]
    category_sent: str = ""
    subcategories_sent: tuple[str, ...] = ()

    def spellings(self) -> list[tuple[str, str]]:
        """Return each subcategory with the name that upstream knows it under."""
        return list(zip(self.subcategories, self.subcategories_sent or self.subcategories, strict=True))


class ServiceRow(msgspec.Struct, frozen=True, gc=False):
    """One service. `rate` buys `rate_per` pieces (upstream does not say how many); `stock` None: not limited."""

    service: int
    name: str
    category: str
    rate: Decimal
    min: int
    max: int
    type: str = ""
    refill: bool = False
    cancel: bool = False
    stock: int | None = None
    description: str = ""
    entity_type: str = msgspec.field(default="", name="entityType")


class SetAside(msgspec.Struct, frozen=True):
    """A row that could not be read: its id (or place), the field at fault ("" for the whole row), the problem."""

    service: str
    field: str
    problem: str


class ServicePage(msgspec.Struct, frozen=True):
    """One answer of `services`. Where upstream gives no totals they are counted from what came."""

    services: list[ServiceRow]
    set_aside: list[SetAside]
    total: int
    page: int
    limit: int
    total_pages: int


class Inventory(msgspec.Struct, frozen=True):
    """The stock of one service; None: not limited."""

    service: int
    stock: int | None
    available: bool


class PlacedOrder(msgspec.Struct, frozen=True):
    """Proof that an order was placed."""

    order_id: str


class OrderStatus(msgspec.Struct, frozen=True):
    """How an order is going. `remains` and `start_count` are as upstream says, not clamped; `raw` holds all it said."""

    status: str
    charge: Decimal | None
    start_count: int | None
    remains: int | None
    currency: str
    accounts: list[str]
    raw: dict[str, Any]


class Balance(msgspec.Struct, frozen=True):
    """The shop's money upstream."""

    balance: Decimal
    currency: str


class SmsProject(msgspec.Struct, frozen=True):
    """A website or app in one country; `price` buys one number."""

    project_id: str
    name: str
    price: Decimal
    country_id: str
    country_title: str


class SmsCountry(msgspec.Struct, frozen=True):
    """A country with numbers. The code may be a dial code, which the filter by country does not take."""

    country_code: str
    country_name: str


class SmsNumber(msgspec.Struct, frozen=True):
    """A number that was bought; `phone` may lack the country code."""

    order_id: str
    phone: str
    country: str
    status: str


class SmsCode(msgspec.Struct, frozen=True):
    """The code, once there is one; else "" and a `message`."""

    status: str
    code: str
    sms_content: str
    message: str


class SmsStatus(msgspec.Struct, frozen=True):
    """How a number is going; `expires_at` is aware, None when not told or not readable."""

    status: str
    phone: str
    code: str
    sms_content: str
    charge: Decimal | None
    currency: str
    expires_at: datetime | None
    raw: dict[str, Any]
