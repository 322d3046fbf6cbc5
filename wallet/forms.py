"""Adding money: how much, and through which gateway, with what it costs shown before anything is begun."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from accounts.money import MicrosFormField
from accounts.templatetags.money import money
from accounts.typed_forms import Form
from upstream.money import micros_from_decimal
from wallet.gateways import Gateway, Price, enabled_gateways
from wallet.operations import TopUpRefused, price_top_up

PRESETS = (10, 25, 50, 100)


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f}%"


@dataclass(frozen=True)
class Choice:
    """One way to pay as the form shows it; `price` is that of the amount typed so far, None where it cannot be paid."""

    gateway: Gateway
    chosen: bool
    price: Price | None

    @property
    def fee(self) -> str:
        """The fee in words, like "2.9% + $0.30"; "" for none."""
        terms, parts = self.gateway.terms, []
        if terms.fee_percent:
            parts.append(_percent(terms.fee_percent))
        if terms.fee_fixed:
            parts.append(money(micros_from_decimal(terms.fee_fixed)))
        return " + ".join(parts)

    @property
    def bonus(self) -> str:
        return _percent(self.gateway.terms.bonus_percent)


class TopUpForm(Form):
    """An amount for the wallet and a gateway to pay it through; the operation's refusals stand beside their fields."""

    amount = MicrosFormField(
        label=gettext_lazy("Amount"),
        widget=forms.TextInput(
            attrs={
                "inputmode": "decimal",
                "autocomplete": "off",
                # What each way costs follows the amount while it is typed.
                "hx-get": reverse_lazy("wallet:add"),
                "hx-trigger": "input changed delay:300ms, typed-before",
                "hx-include": "[name=gateway]:checked",
                "hx-params": "amount, gateway",
                "hx-target": "#ways",
                "hx-swap": "outerHTML",
                "hx-sync": "this:replace",
            }
        ),
    )
    gateway = forms.ChoiceField(
        label=gettext_lazy("Payment method"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a payment method.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gateways = enabled_gateways()
        names = [(name, gateway.title) for name, gateway in self.gateways.items()]
        self.fields["gateway"].choices = names  # type: ignore[attr-defined]  # a ChoiceField
        if names and not self.initial.get("gateway"):
            self.initial["gateway"] = names[0][0]
        self.currency = settings.STORE_CURRENCY

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            try:
                price_top_up(gateway=values["gateway"], amount_micros=values["amount"])
            except TopUpRefused as refusal:
                self.add_error(refusal.field or None, str(refusal))
        return values

    def choices(self) -> list[Choice]:
        """Return the ways to pay, with the price of the amount in the form where it has one."""
        amount_micros = self._amount_micros()
        chosen = self["gateway"].value()
        return [
            Choice(gateway, name == chosen, self._price(name, amount_micros)) for name, gateway in self.gateways.items()
        ]

    def shown_pay(self) -> str:
        """What the amount in the form costs the chosen way, as it is written; nothing where it has no price."""
        price = self._price(self["gateway"].value() or "", self._amount_micros())
        return money(price.pay_micros) if price else ""

    def presets(self) -> list[dict[str, str]]:
        """Return amounts to choose with one click, as links that fill the form."""
        gateway = self["gateway"].value() or ""
        return [{"url": f"?amount={amount}&gateway={gateway}", "label": f"{amount}"} for amount in PRESETS]

    def _amount_micros(self) -> int:
        field = self.fields["amount"]
        try:
            return int(field.clean(self["amount"].value()))
        except (forms.ValidationError, TypeError):
            return 0

    def _price(self, gateway: str, amount_micros: int) -> Price | None:
        try:
            return price_top_up(gateway=gateway, amount_micros=amount_micros)
        except TopUpRefused:
            return None


class TransferForm(Form):
    """What the customer says about a transfer that was made."""

    note = forms.CharField(
        label=gettext_lazy("The account you paid from, or the name on it"),
        max_length=200,
        required=False,
    )
