"""What is wrong with the forms of a page, for the summary at its head and for its title.

No page hands this over: it is read from the context of the template, so that no page can forget it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from django.forms import BaseForm, BoundField, RadioSelect
from django.forms.formsets import BaseFormSet
from django.utils.safestring import SafeData
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    `leads_to` is the id of what the summary links to, "" where the words hold links of their own. It is gone when the
    field with the id `mended_by` is changed; without that, when any field of the form around `leads_to` is.
    """

    text: str
    leads_to: str
    mended_by: str = ""
    label: str = ""


def problems_in(context: Mapping[Any, Any]) -> list[Problem]:
    """Return what is wrong with the forms of a page, in the order of their fields.

    Forms are found in the context itself, in its lists, and in the fields of its dataclasses; each is marked as
    `summarized`, so that it does not say again itself what is wrong with it as a whole.
    """
    found: dict[int, BaseForm] = {}
    for value in context.values():
        for form in _forms_in(value):
            found.setdefault(id(form), form)
    return [problem for form in found.values() for problem in _problems_of(form)]


def _forms_in(value: Any, *, inside: bool = False) -> Iterator[BaseForm]:
    # The type is asked, not the value: a lazy one, like the user, would be fetched by the question.
    kind = type(value)
    if issubclass(kind, BaseForm):
        yield value
    elif issubclass(kind, BaseFormSet):
        yield from value.forms
    elif kind in (list, tuple) and not inside:
        for one in value:
            yield from _forms_in(one, inside=True)
    elif is_dataclass(kind):
        yield from (one for one in getattr(value, "__dict__", {}).values() if issubclass(type(one), BaseForm))


def _problems_of(form: BaseForm) -> Iterator[Problem]:
    if not form.is_bound or getattr(form, "is_filter", False):
        return
    form.summarized = True  # type: ignore[attr-defined]  # a mark for the template
    if not form.errors:
        yield from _further(form)
        return
    # A page may say why there is nothing to fill in, instead of its fields.
    shown = list(form) if getattr(form, "fields_shown", True) else []
    first = next((field_id(field) for field in shown if not field.is_hidden), "")
    for error in form.non_field_errors():
        yield Problem(str(error), "" if isinstance(error, SafeData) else first)
    for field in shown:
        if field.is_hidden and field.errors:
            # Whoever sees the page can do nothing about it in a field.
            yield Problem(_("This page is out of date. Check what you entered and try again."), first)
        elif field.errors:
            mark = field_id(field)
            # "Check this box if …" says enough; "This field is required." does not.
            label = "" if field.widget_type == "checkbox" else str(field.label)
            yield from (Problem(str(error), mark, mark, label) for error in field.errors)
    yield from _further(form)


def _further(form: BaseForm) -> list[Problem]:
    """What is wrong beside the form's own errors, as a form may know of it: a mass order of its lines."""
    ask = getattr(form, "further_problems", None)
    return ask() if ask else []


def field_id(field: BoundField) -> str:
    """Return the id of the first control of a field: one of several has no id that is the field's own."""
    if isinstance(field.field.widget, RadioSelect):
        return f"{field.auto_id}_0"
    return field.id_for_label or field.auto_id
