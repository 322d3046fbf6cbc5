"""What the admin pages of every app share: read-only models, columns of money, dialogs that ask before they act."""

import json
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django_htmx.http import HttpResponseClientRedirect
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.fresh_sign_in import FreshSignInAdmin
from accounts.admin.list_search import found_by
from accounts.admin.lists import EMPTY, SavedFilter, amount_column, column_of, shown_filters
from accounts.admin.recorded import RecordedAdmin
from accounts.admin.short_count import ShortCountPaginator
from accounts.admin.shown_fields import may_filter, searchable, shown_here
from accounts.models import User
from accounts.money import MicrosField
from accounts.templatetags.money import money
from accounts.typed_forms import ModelForm, ReadsTyped
from upstream.reading.text import comparable, line


class KeySelect(AutocompleteSelect):
    """A field that looks rows up while one types. What no row can have as its key is refused like any wrong choice."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """Return the chosen row as an option; Django's own would ask the database for it, whatever was posted."""
        return super().optgroups(name, [each for each in value if self._may_be_key(each)], attr)

    def _may_be_key(self, value: Any) -> bool:
        try:
            self.field.target_field.clean(value, None)
        except ValidationError:
            return False
        return True


class DialogForm(ReadsTyped, BaseDialogForm):
    """A dialog that asks for something before it acts."""


class ModelAdmin(FreshSignInAdmin, RecordedAdmin):
    """A model's pages: a long list is never counted twice, and money is edited as a decimal amount.

    What they do not show, they do not tell otherwise either: see `accounts/admin/shown_fields.py`. What is done on them
    is on the trail: see `accounts/admin/recorded.py`. And it is done only after a fresh sign-in: see
    `accounts/admin/fresh_sign_in.py`.
    """

    show_full_result_count = False
    list_per_page = 50
    formfield_overrides: Any = {MicrosField: {"widget": UnfoldAdminTextInputWidget}}
    form: Any = ModelForm
    compared_here: tuple[str, ...] = ()  # columns of a small table that has no stored search text
    linked_by: tuple[str, ...] = ()  # what links of ours filter the list by, beside its filters
    named_by: tuple[str, ...] = ()  # the fields that a row's text is made of, where other pages show it
    saved_filters: tuple[SavedFilter, ...] = ()  # above the list
    # What a file of the list's rows holds: columns, and those of rows it refers to; none where there is no such file.
    file_columns: tuple[str, ...] = ()
    list_before_template: str | None = "admin/list_head.html"
    paginator: Any = ShortCountPaginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list below its saved filters."""
        head = {
            "saved_filters": shown_filters(request, self.saved_filters),
            "file_of": self.opts.label_lower if self.file_columns else "",
            "asked_query": request.GET.urlencode(),
        }
        return super().changelist_view(request, {**head, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, each of one line: see `accounts.admin.lists.column_of`."""
        return tuple(self._column(name) for name in super().get_list_display(request))

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Return the columns that lead to the row's page."""
        links = super().get_list_display_links(request, list_display)
        return links and [self._column(name) for name in links]

    def _column(self, name: Any) -> Any:
        if shown := getattr(name, "in_a_list", None):
            return shown
        is_field = isinstance(name, str) and name in self._field_names and not hasattr(self, name)
        return column_of(self.model, name) if is_field and name not in self.list_editable else name

    @cached_property
    def _field_names(self) -> set[str]:
        return {field.name for field in self.opts.fields}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let the list be filtered by what it offers, and by nothing else, whoever asks."""
        return may_filter(self, request, lookup)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Give a pop-up the key of a row, or what else another table refers to it by if it is shown."""
        key = to_field in ("pk", self.opts.pk.name)
        return super().to_field_allowed(request, to_field) and (key or to_field in shown_here(self, request))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the field of a relation to one row."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = KeySelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Return what this person may search by."""
        return searchable(self, request, super().get_search_fields(request))

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        """Return the form of a row that is edited in the list."""
        return super().get_changelist_form(request, **{"form": ModelForm, **kwargs})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by what is seen; see `accounts.admin.list_search`."""
        if self.compared_here and (words := comparable(search_term).split()):
            rows = queryset.order_by().values_list("pk", *self.compared_here)
            found = [pk for pk, *texts in rows if _has_all(" ".join(map(str, texts)), words)]
            return queryset.filter(pk__in=found), False
        fields, typed = self.get_search_fields(request), line(search_term)
        if not fields or not typed:
            return queryset, False
        return queryset.filter(found_by(self.model, fields, typed) | self.also_found(request, typed)), False

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return what else a search finds than words in `search_fields`."""
        return Q(pk__in=())


def _has_all(text: str, words: list[str]) -> bool:
    looks = comparable(text)
    return all(word in looks for word in words)


class ReadOnlyAdmin(ModelAdmin):
    """Pages that only show: no add, change or delete, whatever is posted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EditOnlyAdmin(ModelAdmin):
    """Pages of rows that come from elsewhere: they are edited here, never added or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Rows below another model's page that only show."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def money_column(field: str, title: str | Promise, *, currency: str = "") -> Callable[[Any], str]:
    """Return a column that shows the micros in `field` as an amount; empty `currency` is the shop's."""

    @display(description=title, ordering=field)
    def column(row: Any) -> str:
        micros = getattr(row, field)
        return EMPTY if micros is None else money(micros, currency)

    column.__name__ = f"shown_{field}"
    # See `ModelAdmin.get_list_display`.
    column.in_a_list = amount_column(field, title, currency=currency, sortable=True)
    return column


def json_column(field: str, title: str | Promise) -> Callable[[Any], str]:
    """Return a field that shows JSON as readable text instead of a Python literal."""

    @display(description=title)
    def column(row: Any) -> str:
        value = getattr(row, field)
        if not value:
            return EMPTY
        # The encoder escapes nothing for HTML: format_html does.
        text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
        return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)

    column.__name__ = f"shown_{field}"
    return column


def member_of_staff(request: HttpRequest) -> User:
    """Return who sits at the admin page, which lets nobody else in."""
    return cast(User, request.user)


def may_see(user: Any, model: str) -> bool:
    """Whether somebody may view or change a model's rows; `model` is "app.model", in lower case."""
    app, name = model.split(".")
    return any(user.has_perm(f"{app}.{act}_{name}") for act in ("view", "change"))


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Leave a dialog: htmx posted it and has to be told to load a page, a plain form follows the redirect."""
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django-htmx
    return HttpResponseClientRedirect(address) if htmx else HttpResponseRedirect(address)


def ask_again(request: HttpRequest, dialog: dict[str, Any], form: BaseDialogForm) -> HttpResponse:
    """Show a dialog once more, with the errors that its operation raised."""
    context = {"dialog": dialog, "form": form, "form_submit_text": dialog.get("form_submit_text", "")}
    return render(request, "unfold/helpers/dialog.html", context)
