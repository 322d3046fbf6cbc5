"""What a report is asked for: a period, what its lines are, and what they are sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.widgets import may_see
from accounts.typed_forms import Form
from orders.accounting.daily_totals.dimensions import dimensions
from orders.accounting.daily_totals.reading import PERIODS, SORTED_BY
from orders.accounting.report import Span

DAYS = 30
LONGEST = timedelta(days=3660)
GATEWAY = "gateway"
PERIOD_TITLES = {"day": gettext_lazy("Day"), "week": gettext_lazy("Week"), "month": gettext_lazy("Month")}
SORT_TITLES = {
    "sales": gettext_lazy("Sales"),
    "margin": gettext_lazy("Margin"),
    "orders": gettext_lazy("Orders"),
    "refunds": gettext_lazy("Refunds"),
    "expected": gettext_lazy("Expected cost"),
    "cost": gettext_lazy("Real cost"),
    "over": gettext_lazy("Above expected"),
}
OFFERED = ("sales", "margin", "-margin", "orders", "refunds", "cost", "over")


def day_field(title: Any) -> forms.DateField:
    """Return the field of a day."""
    return forms.DateField(label=title, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))


class PeriodForm(Form):
    """A period of days, both included; what is nonsense shows the last 30 days."""

    first = day_field(gettext_lazy("From"))
    last = day_field(gettext_lazy("To"))

    def __init__(self, asked: Any, today: date) -> None:
        self.usual = Span(today - timedelta(days=DAYS - 1), today)
        self.today = today
        values = asked.dict()
        values.setdefault("first", self.usual.first.isoformat())
        values.setdefault("last", self.usual.last.isoformat())
        super().__init__({**self.defaults, **values})

    @property
    def defaults(self) -> dict[str, str]:
        """What else the form has when nothing was asked."""
        return {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("The period can't end before it starts."))
        elif first and last and last - first > LONGEST:
            self.add_error("first", _("Choose ten years at most."))
        return cleaned

    def span(self) -> Span:
        """Return the period, which ends today at the latest."""
        if not self.is_valid():
            return self.usual
        first, last = self.cleaned_data["first"], min(self.cleaned_data["last"], self.today)
        return Span(min(first, last), last)


class ReportForm(PeriodForm):
    """A period, and what it is divided into: only what this person may see."""

    by = forms.ChoiceField(label=gettext_lazy("Group by"), widget=UnfoldAdminSelectWidget)
    # Not a choice of few: the heads of the columns lead to all of them, both ways round.
    sort = forms.CharField(label=gettext_lazy("Sort by"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, asked: Any, today: date, user: Any) -> None:
        super().__init__(asked, today)
        seen = [(one.name, one.title) for one in dimensions().values() if may_see(user, one.model)]
        self.choices = [*PERIOD_TITLES.items(), *seen, (GATEWAY, _("Payment method"))]
        self.fields["by"].choices = self.choices  # type: ignore[attr-defined]
        if self.grouped_by == GATEWAY:
            del self.fields["sort"]  # there are few
            return
        name, ascending = self.sorted_by
        now = f"-{name}" if ascending else name
        offered = ["", *OFFERED] if self.grouped_by in PERIODS else list(OFFERED)
        names = [*offered, *([now] if now not in offered else [])]
        self.fields["sort"].widget.choices = [(one, _sort_title(one)) for one in names]

    @property
    def defaults(self) -> dict[str, str]:
        return {"by": "day"}

    @property
    def grouped_by(self) -> str:
        """What the lines are."""
        asked = str(self.data.get("by"))
        return asked if asked in dict(self.choices) else "day"

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Return the column to sort by, "" for the order of time, and whether the smallest come first."""
        asked = str(self.data.get("sort") or "")
        name = asked.removeprefix("-")
        if name in SORTED_BY:
            return name, asked.startswith("-")
        return ("" if self.grouped_by in PERIODS else "sales"), False


def _sort_title(name: str) -> Any:
    if not name:
        return _("Newest first")
    title = SORT_TITLES[name.removeprefix("-")]
    return _("%(column)s, lowest first") % {"column": title} if name.startswith("-") else title


@dataclass(frozen=True)
class Preset:
    """A period that is asked for often."""

    title: str
    span: Span


def presets(today: date) -> Sequence[Preset]:
    """Return the periods that are one press away."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    yesterday = today - timedelta(days=1)
    return [
        Preset(_("Today"), Span(today, today)),
        Preset(_("Yesterday"), Span(yesterday, yesterday)),
        Preset(_("7 days"), Span(today - timedelta(days=6), today)),
        Preset(_("30 days"), Span(today - timedelta(days=DAYS - 1), today)),
        Preset(_("This month"), Span(month, today)),
        Preset(_("Last month"), Span(before, month - timedelta(days=1))),
        Preset(_("This year"), Span(today.replace(month=1, day=1), today)),
        Preset(_("12 months"), Span(month.replace(year=month.year - 1), today)),
    ]
