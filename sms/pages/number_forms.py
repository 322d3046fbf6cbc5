"""What a customer types about the numbers they have: which replacements are automatic, and what they look for."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.typed_forms import AmountField, FilterForm, Form
from orders.models import Order
from sms.formats.phones import digits_of
from sms.models import Number, Project
from sms.operations import MAX_REPLACEMENTS, ReplacementRequest
from upstream.money import MICROS, micros_from_decimal
from upstream.reading.text import digits, words_of

MAX_WORDS = 10
DIGITS_OF_A_PHONE = 5  # fewer may be the name of a website


class ReplacementRuleForm(Form):
    """Another number by itself when no code comes, within a price limit."""

    cap = AmountField(
        label=gettext_lazy("Maximum price of a number"),
        min_value=Decimal("0.0001"),
        max_value=Decimal(100_000),
        max_digits=12,
        decimal_places=6,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    replacements = forms.IntegerField(
        label=gettext_lazy("Maximum number of replacements"),
        min_value=1,
        max_value=MAX_REPLACEMENTS,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    any_country = forms.BooleanField(label=gettext_lazy("Other countries too"), required=False)

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.auto_id = f"id_rule_{order.pk}_%s"  # many of these forms stand on one page; ids must differ
        self.fields["cap"].initial = f"{Decimal(order.price_micros) / MICROS:f}"

    def request(self) -> ReplacementRequest:
        """Return what a valid form asks for."""
        return ReplacementRequest(
            cap_micros=micros_from_decimal(self.cleaned_data["cap"]),
            any_country=self.cleaned_data["any_country"],
            replacements=self.cleaned_data["replacements"],
        )


class HistoryFilterForm(FilterForm):
    """Which of their numbers a customer looks for. Nonsense in the address means: no filter."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=200)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def narrow(self, orders: "QuerySet[Order]") -> "QuerySet[Order]":
        """Return the orders of numbers with every word in phone, website or country, bought on these days."""
        self.is_valid()
        numbers = Number.objects.order_by()
        if typed := self.cleaned_data.get("q", ""):
            numbers = numbers.filter(_about(typed))
        if since := self.cleaned_data.get("since"):
            numbers = numbers.filter(created_at__gte=timezone.make_aware(datetime.combine(since, time.min)))
        if until := self.cleaned_data.get("until"):
            day_after = datetime.combine(until, time.min) + timedelta(days=1)
            numbers = numbers.filter(created_at__lt=timezone.make_aware(day_after))
        return orders.filter(pk__in=numbers.values("order_id")) if numbers.query.where else orders


def _about(typed: str) -> Q:
    """Return the condition that the whole is in the phone, or every word in phone, website or country."""
    if len(digits(typed)) >= DIGITS_OF_A_PHONE and (phone := _of_phone(typed)):
        return phone
    about = Q()
    for word in words_of(typed)[:MAX_WORDS]:
        # Looked up by themselves: there are few of them, and with a join every number of the customer was read.
        named = Q(search_text__contains=word) | Q(country__search_text__contains=word)
        about &= _of_phone(word) | Q(project__in=Project.objects.filter(named).order_by().values("pk"))
    return about


def _of_phone(typed: str) -> Q:
    """Return the condition on the phone; empty for what is no part of one: people paste brackets and blanks with it."""
    found = Q()
    for called in () if any(map(str.isalpha, typed)) else sorted(digits_of(typed)):
        found |= Q(phone__contains=called)
    return found
