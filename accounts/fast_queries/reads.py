"""Reading rows quickly: the statement is put together once instead of once for each call.

For what every call of the API asks. Django builds a queryset's SQL anew each time, which takes several times as long as
the database takes to answer.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.db import connection, connections, router
from django.db.models import Model, QuerySet


class Prepared:
    """The rows of a `values_list()`, of which only the parameters of its filters differ from time to time.

    `make` returns the queryset for example parameters, which are given as `example` in the order they stand in the
    SQL. With `among`, a column with its table, ids to choose from come beside them; then the queryset has no order.
    Which database is asked the routers say each time, as of any queryset; all are of one kind.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]], *, example: tuple[Any, ...], among: str = "") -> None:
        self._make, self._example, self._among = make, example, among

    def rows(self, *values: Any, ids: Sequence[int] = ()) -> list[tuple[Any, ...]]:
        """Return the rows for these parameters; one query."""
        sql, converters, model = self._statement
        params: list[Any] = list(values)
        if self._among and connection.vendor == "postgresql":
            # One parameter: psycopg looks at each place of a long statement anew.
            sql, params = f"{sql} AND {self._among} = ANY(%s)", [*params, list(ids)]
        elif self._among:
            sql, params = f"{sql} AND {self._among} IN ({', '.join(len(ids) * ['%s'])})", [*params, *ids]
        with prepared_cursor(connections[router.db_for_read(model)]) as cursor:
            cursor.execute(sql, params)
            found = cursor.fetchall()
        return [_converted(row, converters) for row in found] if converters else found

    @cached_property
    def _statement(self) -> tuple[str, dict[int, Any], type[Model]]:
        found = self._make()
        compiler = found.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if tuple(params) != self._example:
            raise TypeError(f"{params} instead of {self._example}")
        return sql, compiler.get_converters(expression for expression, _sql, _alias in compiler.select), found.model


def prepared_cursor(database: Any = connection) -> Any:
    """Return a cursor that lets the server plan the statement only once, where there is such a one."""
    make = getattr(database, "prepared_cursor", database.cursor)
    return make()


def _converted(row: Sequence[Any], converters: dict[int, Any]) -> tuple[Any, ...]:
    """Return what Django makes of a row of this database: SQLite has no words for moments and decimals."""
    values = list(row)
    for position, (convert, expression) in converters.items():
        for each in convert:
            values[position] = each(values[position], expression, connection)
    return tuple(values)
