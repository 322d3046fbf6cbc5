"""Pages of rows that are worth money to a customer: nobody gives them to themselves, or to a referral relation.

Checked where a form says why, and again where the row is written: whatever way led there, an edit in the list or an
action included.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.widgets import ModelAdmin, member_of_staff
from accounts.models import User
from accounts.power import NotYourOwnMoney, refuse_own_money


class RefusesOwnFavors(forms.BaseModelForm):
    """Asks the page whose form it is before anything is saved."""

    pages: "NoOwnFavors"
    staff: User

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        if self.errors:
            return
        try:
            self.pages.check_favor(self.staff, self.instance, self.changed_data)
        except NotYourOwnMoney as refusal:
            self.add_error(None, str(refusal))


class NoOwnFavors(ModelAdmin):
    """For an admin whose rows favor customers."""

    def favored(self, staff: User, row: Any, changed: Collection[str]) -> User | None:
        """Return a customer whom the row favors with the fields that change, of those tied to `staff` or any."""
        raise NotImplementedError

    def check_favor(self, staff: User, row: Any, changed: Collection[str]) -> None:
        """Raise NotYourOwnMoney when saving `row`, with these fields changed, favors `staff` or who is tied to them."""
        customer = self.favored(staff, row, changed)
        if customer is not None:
            refuse_own_money(staff, customer, permission=f"{self.opts.app_label}.change_{self.opts.model_name}")

    def check_removal(self, staff: User, row: Any) -> None:
        """Raise NotYourOwnMoney when it would favor somebody that the row is gone; else nobody is favored by that."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return self._refusing(request, super().get_form(request, obj, change=change, **kwargs))

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return self._refusing(request, super().get_changelist_form(request, **kwargs))

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        with denied():
            self.check_favor(member_of_staff(request), obj, form.changed_data)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with denied():
            self.check_removal(member_of_staff(request), obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with denied():
            for row in queryset:
                self.check_removal(member_of_staff(request), row)
        super().delete_queryset(request, queryset)

    def _refusing(self, request: HttpRequest, form: Any) -> Any:
        return type(form.__name__, (RefusesOwnFavors, form), {"pages": self, "staff": member_of_staff(request)})


@contextmanager
def denied() -> Iterator[None]:
    """Turn a refusal into the answer of a page that is not open to this person."""
    try:
        yield
    except NotYourOwnMoney as refusal:
        raise PermissionDenied(str(refusal)) from refusal
