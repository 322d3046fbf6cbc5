"""INSERTs as parts of one statement (PostgreSQL): what is sold, paid and written down together is sent together.

Each statement of its own costs a sale a wait for the server, and Django and the driver as much time again. Most columns
of a new row are the same in all of them: they stand in the text, which the server plans once for each connection, and
only the others are sent.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Field, Model


class InsertPart:
    """An `INSERT … SELECT … RETURNING id` of one new row.

    `given` names the attributes that come with each row; `taken` says which columns come from parts before this one,
    by an expression, and `source` what they are selected from. All others have the model's default.
    """

    def __init__(
        self, model: type[Model], *, given: tuple[str, ...], taken: Mapping[str, str] | None = None, source: str = ""
    ) -> None:
        self._given: list[Field[Any, Any]] = [_field(model, name) for name in given]
        self._taken = {_field(model, name): expression for name, expression in (taken or {}).items()}
        self._model, self._source = model, source
        named = {*self._given, *self._taken}
        self._same = [each for each in model._meta.concrete_fields if not each.primary_key and each not in named]

    @cached_property
    def text(self) -> str:
        """The text of this part, put together at the first need, as the connection writes its constants."""
        from psycopg import sql  # where the shop runs on SQLite there need be none

        quote = connection.ops.quote_name
        places = {each: f"CAST(%s AS {_type(each)})" for each in self._given}
        row = self._model()
        for each in self._same:
            value = each.get_db_prep_save(each.value_from_object(row), connection)
            literal = sql.Literal(value).as_string(connection.connection).replace("%", "%%")
            places[each] = f"CAST({literal} AS {_type(each)})"
        places |= self._taken
        columns = ", ".join(quote(str(each.column)) for each in places)
        table, key = quote(self._model._meta.db_table), quote(str(self._model._meta.pk.column))
        source = f" FROM {self._source}" if self._source else ""
        return f"INSERT INTO {table} ({columns}) SELECT {', '.join(places.values())}{source} RETURNING {key}"

    def values(self, row: Model) -> list[Any]:
        """Return what is sent for this row, in the order of its places in the text.

        Raises ValueError when an attribute that is not given differs from the model's default: it would be lost.
        """
        if self._same and self._read_same(row) != self._defaults:
            raise ValueError(f"a {self._model.__name__} with values this statement has no place for")
        database = connections[DEFAULT_DB_ALIAS]  # once, not for each value
        return [each.get_db_prep_save(getattr(row, each.attname), database) for each in self._given]

    @cached_property
    def _read_same(self) -> Any:
        return attrgetter(*(each.attname for each in self._same))

    @cached_property
    def _defaults(self) -> Any:
        return self._read_same(self._model())


def _type(field: "Field[Any, Any]") -> str:
    """Return the column's type without its length: a cast to a length cuts what the column itself would refuse."""
    return re.sub(r"\(.*\)", "", str(field.db_type(connection)))


def _field(model: type[Model], attribute: str) -> "Field[Any, Any]":
    return next(each for each in model._meta.concrete_fields if each.attname == attribute)
