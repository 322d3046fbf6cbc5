"""Making two rows one that mean the same: what points at the one that goes, and what it was known under, is kept."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import ForeignObjectRel, Model, QuerySet

from sms.models import Country, FormerKey, NumberMarkupRule, Project, Site, SuccessRate

Row = Country | Site | Project
AnyRow = TypeVar("AnyRow", Country, Site, Project)


def merge_into(kept: Row, double: Row, *, key: str) -> None:
    """Let `kept` stand for `double`, which is deleted; `key` is what that was asked for by. In a transaction.

    What was hidden stays hidden, and what was on sale stays on sale, at the dearer price. A markup rule of its own
    counts for `kept`, one of the other row only beside none. How often codes came is counted anew.
    """
    for model, column in _pointers(type(double)):
        if model is NumberMarkupRule:
            _move_rules(column, double, kept)
        elif model is not SuccessRate:
            model._base_manager.filter(**{column: double}).update(**{column: kept})
    if not double.visible and kept.visible:
        kept.visible = False
        kept.save(update_fields=["visible"])
    if isinstance(kept, Project) and isinstance(double, Project):
        _keep_on_sale(kept, double)
    former = FormerKey.objects.filter(of=_kind(type(double)))
    former.filter(row_id=double.pk).update(row_id=kept.pk)
    FormerKey.objects.update_or_create(of=_kind(type(double)), key=key, defaults={"row_id": kept.pk})
    double.delete()


def _keep_on_sale(kept: Project, double: Project) -> None:
    """Let a project be sold as either was until it is listed again, which may be long if its row cannot be read."""
    if double.withdrawn_at is not None:
        return
    is_dearer = double.price_upstream_micros > kept.price_upstream_micros
    if kept.withdrawn_at is not None or is_dearer:
        kept.price_upstream_micros = double.price_upstream_micros
        kept.withdrawn_at = None
        kept.save(update_fields=["price_upstream_micros", "withdrawn_at"])


def merge_alike(
    rows: Iterable[AnyRow], meaning: Callable[[AnyRow], str], merge: Callable[[AnyRow, AnyRow], None]
) -> int:
    """Make rows of one meaning the first of them; `merge` is given that one and one that goes. Return how many went."""
    alike: dict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        alike[meaning(row)].append(row)
    gone = 0
    for group in alike.values():
        for double in group[1:]:
            with transaction.atomic():
                merge(group[0], double)
            gone += 1
    return gone


def row_now(model: type[Row], key: int | str) -> int | None:
    """Return the id of the row that a former id, or a country's former code, is a part of now; None for none."""
    rows = FormerKey.objects.filter(of=_kind(model), key=str(key))
    return rows.values_list("row_id", flat=True).first()


def find_row(rows: QuerySet[AnyRow], pk: int) -> AnyRow | None:
    """Return the one of these rows that has this id, or had it before it was made one with another."""
    found = rows.filter(pk=pk).first()
    return found or rows.filter(pk=row_now(rows.model, pk) or 0).first()


def former_ids(project: Project) -> list[int]:
    """Return the ids of projects that are this one now."""
    keys = FormerKey.objects.filter(of=FormerKey.Of.PROJECT, row_id=project.pk).values_list("key", flat=True)
    return [int(key) for key in keys]


def former_codes() -> dict[str, int]:
    """Return the codes that countries had, and the row each leads to now: no new country gets one of them."""
    return dict(FormerKey.objects.filter(of=FormerKey.Of.COUNTRY).values_list("key", "row_id"))


def _pointers(model: type[Row]) -> Iterator[tuple[type[Model], str]]:
    """Yield the models that have a foreign key to this one, with its name; those of higher apps, too."""
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            yield relation.related_model, relation.field.name


def _kind(model: type[Row]) -> str:
    return {Country: FormerKey.Of.COUNTRY, Site: FormerKey.Of.SITE, Project: FormerKey.Of.PROJECT}[model]


def _move_rules(about: str, double: Row, kept: Row) -> None:
    """Let the markup rules of one row be those of another one; where that has its own for the same time, it counts."""
    for rule in NumberMarkupRule.objects.filter(**{about: double}):
        try:
            with transaction.atomic():
                NumberMarkupRule.objects.filter(pk=rule.pk).update(**{about: kept})
        except IntegrityError:
            rule.delete()
