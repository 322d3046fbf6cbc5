"""A form field for money: people type `12.50`, the program keeps 12_500_000 micros."""

from decimal import Decimal

from django.db import models

from accounts.typed_forms import AmountField
from upstream.money import decimal_from_micros, micros_from_decimal

LARGEST_MICROS = 2**63 - 1  # what a column of money holds


class MicrosFormField(AmountField):
    """Decimal text in, integer micros out. More than six decimals is a form error, not a rounding."""

    def __init__(self, **kwargs) -> None:
        # The caller comes from BigIntegerField.formfield, whose integer bounds would be read as currency units.
        kwargs.pop("min_value", None)
        kwargs.pop("max_value", None)
        super().__init__(max_digits=18, decimal_places=6, **kwargs)

    def prepare_value(self, value):
        if isinstance(value, int):
            return decimal_from_micros(value).normalize().__format__("f")
        return value

    def clean(self, value):
        amount = super().clean(value)
        return micros_from_decimal(amount) if isinstance(amount, Decimal) else amount

    def has_changed(self, initial, data) -> bool:
        return super().has_changed(decimal_from_micros(initial) if isinstance(initial, int) else initial, data)


class MicrosField(models.BigIntegerField):
    """Integer micros in the database; edited as a decimal amount. Shared by every app that keeps money."""

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": MicrosFormField, **kwargs})
