"""The admin page of exchange rates: added with a date, never edited; a jump is asked about before it counts."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.widgets import EMPTY, ModelAdmin, member_of_staff
from accounts.typed_forms import ModelForm
from catalog.admin.repriced import reprice_and_say
from catalog.models import ExchangeRate
from catalog.pricing import currencies_differ, exchange_rate_micros, rate_now
from catalog.pricing.exchange_rate_entry import MAX_RATE, jump_percent
from upstream.money import MICROS, text_from_micros


class ExchangeRateForm(ModelForm):
    """A rate and its beginning; `sure` repeats the rate in micros once a jump has been looked at."""

    sure = forms.CharField(required=False, label=gettext_lazy("Is this correct?"), widget=forms.HiddenInput)

    class Meta:
        model = ExchangeRate
        fields = ("rate_micros", "valid_from")
        help_texts = {
            "rate_micros": gettext_lazy("Price of one unit of upstream's currency, in the shop's currency."),
            "valid_from": gettext_lazy("Empty: starts at once. Existing orders keep their exchange rate."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "valid_from" in self.fields:  # not on the page that only shows
            self.fields["valid_from"].required = False
            self.initial.pop("valid_from", None)
            self.fields["valid_from"].initial = None

    def clean_rate_micros(self) -> int:
        rate_micros: int = self.cleaned_data["rate_micros"]
        if not 0 < rate_micros <= MAX_RATE * MICROS:
            raise ValidationError(_("Enter a number above 0, up to %(maximum)d.") % {"maximum": MAX_RATE})
        return rate_micros

    def clean_valid_from(self) -> Any:
        now, valid_from = timezone.now(), self.cleaned_data["valid_from"]
        if valid_from is not None and valid_from < now - timedelta(hours=1):
            raise ValidationError(_("An exchange rate can't start in the past: earlier sales used another one."))
        return valid_from or now

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"rate_micros", "valid_from"} <= cleaned.keys():
            self._ask_about_a_jump(cleaned["rate_micros"], exchange_rate_micros(cleaned["valid_from"]))
        return cleaned

    def _ask_about_a_jump(self, rate_micros: int, before_micros: int) -> None:
        jump = jump_percent(before_micros, rate_micros)
        if not jump or self.data.get("sure") == str(rate_micros):
            return
        words = {
            "upstream": settings.UPSTREAM_CURRENCY,
            "store": settings.STORE_CURRENCY,
            "rate": text_from_micros(rate_micros),
            "before": text_from_micros(before_micros),
            "jump": jump,
        }
        yes = _("Yes, 1 %(upstream)s = %(rate)s %(store)s from then on.") % words
        choices = [("", _("No, let me check again.")), (str(rate_micros), yes)]
        self.fields["sure"].widget = UnfoldAdminSelectWidget(choices=choices)
        self.add_error(
            "sure", _("That is a change of %(jump)+d%%: until then, 1 %(upstream)s = %(before)s %(store)s.") % words
        )


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    """What counts now stands above the list; one that has not begun can be deleted, any other is history."""

    form = ExchangeRateForm
    list_display = ("valid_from", "rate", "source", "set_by", "created_at")
    list_select_related = ("set_by",)
    list_before_template = "admin/catalog/exchangerate/now.html"
    fields = ("rate_micros", "valid_from", "sure")

    @display(description=gettext_lazy("rate"), ordering="rate_micros")
    def rate(self, row: ExchangeRate) -> str:
        return f"{text_from_micros(row.rate_micros)} {settings.STORE_CURRENCY}" if row.pk else EMPTY

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if obj is None else ("rate", "valid_from", "source", "set_by", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return currencies_differ() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        begun = obj is not None and obj.valid_from <= timezone.now()
        return not begun and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: ExchangeRate, form: Any, change: bool) -> None:
        obj.set_by = member_of_staff(request)
        super().save_model(request, obj, form, change)
        if obj.valid_from <= timezone.now():
            reprice_and_say(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        now = rate_now(timezone.now())
        context = {
            "upstream_currency": settings.UPSTREAM_CURRENCY,
            "store_currency": settings.STORE_CURRENCY,
            "one_currency": not currencies_differ(),
            "rate": text_from_micros(now.micros),
            "row": now.row,
            "source": settings.EXCHANGE_RATE_SOURCE,
        }
        response: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "exchange_rate": context})
        return response
