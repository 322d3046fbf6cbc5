"""Reading rows quickly: the statement is put together once instead of once for each call.

For what every call of the API asks. Django builds a queryset's SQL anew each time, which takes several times as long as
the database takes to answer.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.db import connection, connections, router
from django.db.models import Model, QuerySet


class PreparedStatement:
    """What a queryset's compiler says, kept; `among` is a column with its table, of which ids are chosen each time.

    Which database is asked the routers say each time, as of any queryset; all are of one kind. Raises TypeError where
    the parameters of the SQL are not those of the `example`, in their order.
    """

    def __init__(self, compiler: Any, model: type[Model], *, example: tuple[Any, ...], among: str) -> None:
        self._sql, params = compiler.as_sql()
        if tuple(params) != example:
            raise TypeError(f"{params} instead of {example}")
        self._converters = compiler.get_converters(expression for expression, _sql, _alias in compiler.select)
        self._model, self._among = model, among

    def rows(self, *values: Any, ids: Sequence[int] = ()) -> list[Sequence[Any]]:
        """Return the rows for these parameters; one query."""
        sql = self._sql
        params: list[Any] = list(values)
        if self._among and connection.vendor == "postgresql":
            # One parameter: psycopg looks at each place of a long statement anew.
            sql, params = f"{sql} AND {self._among} = ANY(%s)", [*params, list(ids)]
        elif self._among:
            sql, params = f"{sql} AND {self._among} IN ({', '.join(len(ids) * ['%s'])})", [*params, *ids]
        with prepared_cursor(connections[router.db_for_read(self._model)]) as cursor:
            cursor.execute(sql, params)
            found = cursor.fetchall()
        return [_converted(row, self._converters) for row in found] if self._converters else found


class Prepared:
    """The rows of a `values_list()`, of which only the parameters of its filters differ from time to time.

    `make` returns the queryset for example parameters, which are given as `example` in the order they stand in the
    SQL. With `among`, a column with its table, ids to choose from come beside them; then the queryset has no order.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]], *, example: tuple[Any, ...], among: str = "") -> None:
        self._make, self._example, self._among = make, example, among

    def rows(self, *values: Any, ids: Sequence[int] = ()) -> list[Any]:
        """Return the rows for these parameters; one query."""
        return self._statement.rows(*values, ids=ids)

    @cached_property
    def _statement(self) -> PreparedStatement:
        found = self._make()
        compiler = found.query.get_compiler(connection=connection)
        return PreparedStatement(compiler, found.model, example=self._example, among=self._among)


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
