"""How it is said of a table what of it a customer gets to read, and what becomes of it when the account is deleted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from accounts.models import User

Cell = Any
OpenRow = Callable[[dict[str, Cell]], dict[str, Cell]]


@dataclass(frozen=True)
class Export:
    """A table becomes `name`.json and `name`.csv with these columns.

    A column is a lookup as in `values_list`, or `title=lookup`. `only` leaves rows out. `opened` gets a row by the
    columns' titles and returns what is written: what is encrypted, readable.
    """

    name: str
    columns: tuple[str, ...]
    only: Q = field(default_factory=Q)
    opened: OpenRow | None = None

    @property
    def titles(self) -> list[str]:
        """What the columns are called in the files."""
        return [column.partition("=")[0].replace("__", "_") for column in self.columns]

    @property
    def lookups(self) -> list[str]:
        """What is asked of the database, in the same order."""
        return [column.rpartition("=")[2] for column in self.columns]


@dataclass(frozen=True)
class LeftOut:
    """A table that no file has, and why."""

    because: str


@dataclass(frozen=True)
class Deleted:
    """Its rows go with the account; `how` where deleting the rows is not all there is to it."""

    how: Callable[[QuerySet[Any]], object] | None = None


@dataclass(frozen=True)
class Emptied:
    """Its rows stay, without what these columns held. `rest` says why the others may stay."""

    columns: dict[str, Any]
    rest: str


@dataclass(frozen=True)
class Stays:
    """Its rows stay as they are, and why."""

    because: str


@dataclass(frozen=True)
class Table:
    """What is done with a table that holds something about customers.

    `owner` is the lookup that leads to the customer; `rows` finds their rows where no relation does. `others` are
    relations to accounts that are not the customer's, such as who of the staff decided; `at_once` says that it is part
    of the account itself and goes in the transaction that ends it, the rest follows in batches.
    """

    model: str
    export: Export | LeftOut
    deletion: Deleted | Emptied | Stays
    owner: str = ""
    rows: Callable[[User], QuerySet[Any]] | None = None
    others: tuple[str, ...] = ()
    at_once: bool = False

    def of(self, user: User) -> QuerySet[Any]:
        """Return the customer's rows."""
        if self.rows is not None:
            return self.rows(user)
        model: type[Model] = apps.get_model(self.model)
        return model._base_manager.filter(**{self.owner: user.pk})
