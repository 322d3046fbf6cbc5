"""A text that the database holds only encrypted and that reads like any other in Python.

Nothing is opened before somebody asks for it: a list of rows costs nothing more, and one whose key is gone stops no
other. Every text is encrypted differently each time, so the database cannot compare any two: a query may ask whether
there is one (`code=""`, `code__isnull=True`), and every other lookup is refused rather than finding nothing.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import ExpressionWrapper, F, Model, QuerySet, TextField
from django.db.models.lookups import Exact, IsNull
from django.db.models.query_utils import DeferredAttribute

from accounts.batches import spans
from accounts.encryption import (
    decrypt,
    encrypt,
    is_encrypted_with_newest_key,
    looks_encrypted,
    reencrypt,
)

STORED = "stored_text"


class Sealed:
    """A text as the database has it. `text` and `str` open it, once; they raise CannotDecrypt."""

    def __init__(self, stored: str) -> None:
        self.stored = stored

    @cached_property
    def text(self) -> str:
        return decrypt(self.stored)

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, Sealed | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.stored)

    def __repr__(self) -> str:
        return "<sealed>"


class OnlyEmpty(Exact):
    """Whether there is no text at all: the one comparison that an encrypted column allows."""

    def get_prep_lookup(self) -> Any:
        if self.rhs != "":
            raise FieldError("An encrypted text cannot be searched for; a query may only ask whether there is one.")
        return self.rhs


class _Opening(DeferredAttribute):
    """Opens what the database had when somebody reads it; what was assigned is as it was assigned."""

    def __get__(self, instance: Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return value.text if isinstance(value, Sealed) else value

    def __set__(self, instance: Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(TextField):
    """A text in the clear for who reads the row, one of Fernet's tokens in the database. Reading raises CannotDecrypt.

    What no text is ("") is stored as it is. `values()` and `values_list()` give `Sealed`.
    """

    descriptor_class = _Opening

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Sealed | str | None:
        return Sealed(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.stored
        text = super().get_prep_value(value)
        return encrypt(text) if text else text

    def pre_save(self, model_instance: Model, add: bool) -> Any:
        """What was read and not changed is written as it was: it need not even be possible to open it."""
        value = model_instance.__dict__.get(self.attname)
        return value if isinstance(value, Sealed) else super().pre_save(model_instance, add)

    def get_lookup(self, lookup: str) -> Any:
        return {"isnull": IsNull, "exact": OnlyEmpty}.get(lookup)

    def get_transform(self, lookup_name: str) -> Any:
        return None  # Django says that there is no such lookup


def as_stored(instance: Model, name: str) -> str:
    """Return a field's encrypted text, unopened: enough to see whether it has changed."""
    value = instance.__dict__.get(name)
    return value.stored if isinstance(value, Sealed) else str(value or "")


def reencrypt_field(rows: QuerySet[Any], name: str) -> int:
    """Encrypt this field of these rows with the newest key where an older one did; return how many.

    A row that changes meanwhile is left to whoever changed it, who had the newest key. Raises CannotDecrypt.
    """
    return _rewrite(rows, name, lambda text: text if is_encrypted_with_newest_key(text) else reencrypt(text))


def seal_open_texts(rows: QuerySet[Any], name: str) -> int:
    """Encrypt what a version of the shop that knew nothing of it left in the clear; return in how many rows.

    A row that changes meanwhile stays as it was changed. What looks like a token is one.
    """
    in_the_clear = _stored(rows, name).exclude(**{f"{STORED}__startswith": "gAAAAA"})
    return _rewrite(in_the_clear, name, lambda text: text if looks_encrypted(text) else encrypt(text))


def _rewrite(rows: QuerySet[Any], name: str, rewrite: Callable[[str], str]) -> int:
    changed, stored = 0, _stored(rows, name).exclude(**{name: ""})
    for after, last in spans(stored):
        for pk, text in list(stored.filter(pk__gt=after, pk__lte=last).values_list("pk", STORED)):
            if (new := rewrite(text)) != text:
                unchanged = _stored(rows.model._base_manager.all(), name).filter(**{"pk": pk, STORED: text})
                changed += unchanged.update(**{name: Sealed(new)})
    return changed


def _stored(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """These rows with what the column holds, as a text that can be compared."""
    return rows.annotate(**{STORED: ExpressionWrapper(F(name), output_field=TextField())})
