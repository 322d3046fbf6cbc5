"""Comparing a file with the services: what each line would change, and what is wrong with it, column by column.

Nothing is changed. What would be is kept with the job, as `ImportServices` does it afterwards.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from import_export import fields, resources, widgets
from tablib import Dataset

from accounts.csv_export import as_written
from catalog.models import Delivery, EditedService, Service, ServiceFilePart
from catalog.models.services import MAX_MARKUP_PERCENT
from catalog.operations.places import Place
from catalog.operations.service_edits import CENT, LONGEST_NAME, Row, Values, differing, edit_rows, why_not
from catalog.operations.service_files import KEY
from catalog.pricing import exchange_rate_micros
from jobs.kinds import Kind, Problem, Step
from jobs.models import StaffJob
from upstream.money import micros_from_decimal
from upstream.reading import amounts
from upstream.reading.text import line

LONGEST_PAUSE = 300
MAX_PRICE_MICROS = 1_000_000_000_000
MAX_WARRANTY = 36_500
# What goes with another column, or needs the page that shows what it does to prices.
NOT_IN_FILES = {"left_out", *Place._fields}
YES, NO = frozenset(("yes", "true", "1", "да")), frozenset(("no", "false", "0", "нет"))


class YesNo(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> bool:
        said = str(value).strip().casefold()
        if said not in YES | NO:
            raise ValueError(_("Write yes or no."))
        return said in YES


class Text(widgets.Widget):
    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest

    def clean(self, value: Any, row: Any = None, **_more: Any) -> str:
        text = line(as_written(str(value)))
        if len(text) > self.longest:
            words = ngettext("Write %(count)d character at most.", "Write %(count)d characters at most.", self.longest)
            raise ValueError(words % {"count": self.longest})
        return text


class Choice(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> str:
        chosen = str(value).strip().lower()
        if chosen and chosen not in Delivery.values:
            names = ", ".join(Delivery.values)
            raise ValueError(
                _("Write one of these, or nothing for that of the category: %(names)s.") % {"names": names}
            )
        return chosen


class Days(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> int | None:
        if not (said := str(value).strip()):
            return None
        if not (said.isascii() and said.isdigit() and len(said) < 7 and int(said) <= MAX_WARRANTY):
            raise ValueError(_("Write a whole number of days up to %(most)d, or nothing.") % {"most": MAX_WARRANTY})
        return int(said)


class Amount(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> int | None:
        if not (said := str(value).strip()):
            return None
        amount = amounts.typed_amount(said)
        micros = None if amount is None else micros_from_decimal(amount)
        if micros is None or not 0 < micros <= MAX_PRICE_MICROS:
            raise ValueError(_("Write an amount above zero like 1.25, or nothing for the markup rules."))
        return micros


class Percent(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> str | None:
        if not (said := str(value).strip().removesuffix("%").strip()):
            return None
        percent = amounts.typed_amount(said)
        if percent is None or not 0 <= percent <= MAX_MARKUP_PERCENT or percent != percent.quantize(CENT):
            raise ValueError(_("Write a percentage from 0 up like 12.5, or nothing for the markup rules."))
        return str(percent.quantize(CENT))


class Number(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **_more: Any) -> int:
        said = str(value).strip()
        if not (said.isascii() and said.isdigit() and len(said) < 19):
            raise ValueError(_("Write the number of a service as the list has it."))
        return int(said)


class ServiceLines(resources.ModelResource):
    """How a line of a file is read into a service. Services are never saved here, and none is added."""

    upstream_id = fields.Field(KEY, KEY, Number())
    visible = fields.Field("visible", "visible", YesNo())
    display_name = fields.Field("display_name", "display_name", Text(LONGEST_NAME))
    short_title_override = fields.Field("short_title_override", "short_title_override", Text(LONGEST_NAME))
    delivery_override = fields.Field("delivery_override", "delivery_override", Choice())
    warranty_days = fields.Field("warranty_days", "warranty_days", Days())
    rate_override_micros = fields.Field("rate_override_micros", "rate_override", Amount())
    markup_percent = fields.Field("markup_percent", "markup_percent", Percent())
    paused_because = fields.Field("paused_because", "paused_because", Text(LONGEST_PAUSE))

    class Meta:
        model = Service
        fields = (KEY, *(name for name in Values._fields if name not in NOT_IN_FILES))
        import_id_fields = (KEY,)
        skip_diff = True  # of which the library makes HTML
        store_instance = True

    def __init__(self, rows: dict[int, Row], *, rate_micros: int) -> None:
        """`rows` are the services by upstream's number, `rate_micros` is the exchange rate."""
        super().__init__()
        self.rows = rows
        self.rate_micros = rate_micros

    def get_instance(self, instance_loader: Any, row: Any) -> Service | None:
        try:
            known = self.rows.get(Number().clean(row[KEY]))
        except ValueError as error:
            raise ValidationError({KEY: str(error)}) from error
        if known is None:
            raise ValidationError({KEY: _("There is no such service. A file adds none.")})
        return Service(pk=known.id, upstream_id=known.upstream_id, **known.values._asdict())

    def import_instance(self, instance: Any, row: Any, **more: Any) -> None:
        super().import_instance(instance, row, **more)
        if "visible" in row:
            instance.left_out = False  # from now on it is staff who hides or shows it

    def validate_instance(self, instance: Any, import_validation_errors: Any = None, **_more: Any) -> None:
        if import_validation_errors:
            raise ValidationError(import_validation_errors)
        row, values = self.rows[instance.upstream_id], values_of(instance)
        if why := why_not(row, values, exchange_rate_micros=self.rate_micros):
            shown = values.visible and not row.values.visible
            column = "visible" if shown and row.ruled_out else "rate_override"
            raise ValidationError({column: why})

    def save_instance(self, instance: Any, is_create: bool, row: Any, **_more: Any) -> None:
        """Do nothing: what a line says is compared, and kept for later."""


class CheckServiceFile(Kind):
    """Compares the parts of a file, which are kept with the job, with the services. Params: columns, and lines."""

    name = "check_service_file"
    permission = "catalog.change_service"

    def total(self, job: StaffJob) -> int:
        lines: int = job.params["lines"]
        return lines

    def step(self, job: StaffJob, *, now: datetime) -> Step:
        number = int(job.position or 0)
        part = ServiceFilePart.objects.get(job=job, number=number)
        problems, edited = check_lines(job.params["columns"], part.rows, rate_micros=exchange_rate_micros(now))
        for each in edited:
            each.job_id = job.pk
        EditedService.objects.bulk_create(edited)
        finished = not ServiceFilePart.objects.filter(job=job, number=number + 1).exists()
        if finished:
            ServiceFilePart.objects.filter(job=job).delete()
        return Step(str(number + 1), len(part.rows), finished, problems)


CHECK_SERVICE_FILE = CheckServiceFile()


def check_lines(columns: list[str], lines: list[Any], *, rate_micros: int) -> tuple[list[Problem], list[EditedService]]:
    """Return what is wrong with these lines of a file, and what the others would change; two queries."""
    dataset = Dataset(*(cells for _number, cells in lines), headers=columns)
    place = columns.index(KEY)
    numbers = [int(said) for _line, cells in lines if (said := cells[place].strip()).isdecimal() and len(said) < 19]
    rows = {row.upstream_id: row for row in edit_rows(Service.objects.filter(upstream_id__in=numbers))}
    result = ServiceLines(rows, rate_micros=rate_micros).import_data(dataset, use_transactions=False)
    for _number, error in result.row_errors():
        raise error[0].error  # not the file's fault
    problems = [problem for bad in result.invalid_rows for problem in _problems(lines[bad.number - 1][0], bad.error)]
    edited = [each for done in result.rows if done.instance and (each := _edited(rows, done.instance))]
    return problems, edited


def values_of(service: Service) -> Values:
    """Return the columns of a service that files and edits are about."""
    return Values(*(getattr(service, name) for name in Values._fields))


def _problems(number: int, error: ValidationError) -> Iterator[Problem]:
    for column, texts in error.message_dict.items():
        column = "rate_override" if column == "rate_override_micros" else column
        where = _("Line %(line)d, %(column)s") % {"line": number, "column": column}
        yield Problem(where, " ".join(texts))


def _edited(rows: dict[int, Row], service: Service) -> EditedService | None:
    before, after = rows[service.upstream_id].values, values_of(service)
    was, becomes = differing(before, after)
    return EditedService(service_id=service.pk, before=was, after=becomes) if becomes else None
