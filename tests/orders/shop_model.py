"""A model of orders so simple that it can be checked by reading: what each should be, and what was given back."""

from dataclasses import dataclass, field

from orders.models import MOVES, Status

REFUND_STEP = 100  # money is rounded to 0.0001
STATUS_OF = {
    "Pending": Status.PENDING,
    "In progress": Status.IN_PROGRESS,
    "Completed": Status.COMPLETED,
    "Partial": Status.PARTIAL,
    "Canceled": Status.CANCELED,
}


def price_micros(quantity: int) -> int:
    """Return what `quantity` pieces cost at 1.50 per 1,000 and a quarter more, rounded up."""
    return -(-1_875 * quantity // REFUND_STEP) * REFUND_STEP


@dataclass
class ModelOrder:
    """One order: its status, its money, the ids that upstream really gave it, and how upstream says it is going."""

    pk: int
    price: int
    quantity: int
    status: str = Status.PAID
    refunded: int = 0
    placed: list[str] = field(default_factory=list)
    losses: int = 0
    word: str = "Pending"
    remains: int | None = None

    def refund_up_to(self, micros: int) -> None:
        """Give back until `micros` are given back in all; what was given back stays given back."""
        self.refunded = max(self.refunded, min(micros, self.price))

    def fail(self) -> None:
        """It was not bought: all money goes back."""
        self.status = Status.FAILED
        self.refund_up_to(self.price)

    def hears(self) -> None:
        """A poll reads what upstream says now."""
        status = STATUS_OF.get(self.word)
        if status in MOVES[Status(self.status)]:
            self.status = str(status)
        if status == self.status == Status.PARTIAL and self.remains is not None:
            left = min(max(self.remains, 0), self.quantity)
            self.refund_up_to(self.price * left // self.quantity // REFUND_STEP * REFUND_STEP)
        if self.status == Status.CANCELED:
            self.refund_up_to(self.price)
