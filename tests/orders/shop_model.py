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


NUMBER_PRICE = 625_000  # 0.50 and a quarter more


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
    word: str = "Pending"
    remains: int | None = None
    is_number: bool = False
    has_code: bool = False

    def refund_up_to(self, micros: int) -> None:
        """Give back until `micros` are given back in all; what was given back stays given back."""
        self.refunded = max(self.refunded, min(micros, self.price))

    def fail(self) -> None:
        """It was not bought: all money goes back."""
        self.status = Status.FAILED
        self.refund_up_to(self.price)

    def lose(self) -> None:
        """Nobody knows whether it was bought: a service waits for proof, a number's buyer has the money back."""
        self.status = Status.UNKNOWN
        if self.is_number:
            self.fail()

    def number_hears(self, *, late: bool) -> None:
        """A poll asks about a number: a code is what was bought; without one its end, or ours, gives the money back."""
        if self.status != Status.PENDING:
            return
        if self.has_code:
            self.status = Status.COMPLETED
        elif self.word == "expired" or late:
            self.status = Status.CANCELED
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
