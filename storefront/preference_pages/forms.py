"""The form of all preferences that are declared, or of `only` some."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.typed_forms import Form
from preferences.change import Disagree, check_together
from preferences.kinds import Image
from preferences.models import Picture
from preferences.pictures import draw
from preferences.registry import Group, Preference, declared
from storefront.preference_pages.fields import REMOVE, fields_of, typed


class Shown(NamedTuple):
    """A heading with the fields below it."""

    group: Group
    fields: list[forms.BoundField]


class PreferencesForm(Form):
    """Once it is valid, `wanted` has a value for each preference that this person may change, None for the default."""

    # The newest change when the page was made: whoever was slower is told, and changes nothing.
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        user: User,
        seen: int,
        only: Iterable[Preference[Any]] | None = None,
    ) -> None:
        super().__init__(data, files)
        self.wanted: dict[Preference[Any], Any] = {}
        self.pictures: list[Picture] = []
        self.fields["seen"].initial = seen
        self.ends: dict[Preference[Any], list[str]] = {}
        for preference in declared() if only is None else only:
            found = fields_of(preference)
            self.ends[preference] = list(found)
            for end, field in found.items():
                if preference.is_set_outside:
                    field.help_text = _outside(preference)
                field.disabled = preference.is_set_outside or not user.has_perm(preference.permission)
                self.fields[preference.name + end] = field

    def groups(self) -> list[Shown]:
        """Return the fields by heading, in the order of the page."""
        found: dict[Group, list[forms.BoundField]] = {}
        for preference, ends in self.ends.items():
            found.setdefault(preference.group, []).extend(self[preference.name + end] for end in ends)
        return [Shown(group, fields) for group, fields in found.items()]

    def without_errors(self) -> "PreferencesForm":
        """Return the form as it was typed, not looked at yet."""
        self._errors = ErrorDict()
        return self

    def clean(self) -> dict[str, Any]:
        for preference, ends in self.ends.items():
            names = {end: preference.name + end for end in ends}
            if self.fields[names[ends[0]]].disabled or any(name in self.errors for name in names.values()):
                continue
            try:
                self._want(preference, {end: self.cleaned_data.get(name) for end, name in names.items()})
            except ValidationError as error:
                self.add_error(names[ends[0]], error)
        if not self.errors:
            try:
                check_together(self.wanted)
            except Disagree as disagreement:
                self.refuse_together(disagreement)
        return self.cleaned_data

    def refuse_together(self, disagreement: Disagree) -> None:
        """Say beside the fields what cannot hold together."""
        for preference, ends in self.ends.items():
            if error := disagreement.reasons.get(preference.name):
                self.add_error(preference.name + ends[0], error)

    def warnings(self) -> list[str]:
        """Return what to tell about values that are accepted all the same."""
        said = [preference.warn(value) for preference, value in self.wanted.items() if value is not None]
        return [text for text in dict.fromkeys(said) if text]

    def rows(self) -> Mapping[str, Any]:
        """Return what would be stored, by name."""
        return {
            preference.name: None if value is None else preference.kind.write(value)
            for preference, value in self.wanted.items()
        }

    def _want(self, preference: Preference[Any], cleaned: dict[str, Any]) -> None:
        kind = preference.kind
        if isinstance(kind, Image):
            if cleaned[""]:
                drawings, pictures = draw(cleaned[""], kind)
                self.pictures += pictures
                self.wanted[preference] = drawings
            elif cleaned.get(f"_{REMOVE}"):
                self.wanted[preference] = None
            return
        text = typed(preference, cleaned)
        value = None if text is None else kind.read(text)
        self.wanted[preference] = None if value == preference.default_value else value


def _outside(preference: Preference[Any]) -> str:
    return _("Set as %(variable)s in the environment (.env): take it out there to change it here.") % {
        "variable": preference.setting
    }
