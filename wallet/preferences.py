"""What the owner decides about payments: what each way to pay costs, adds and takes, and what receipts say.

Who gets a transfer (MANUAL_TRANSFER_DETAILS) and the keys of providers are no preferences: whoever could change them at
the admin could send the shop's money elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.kinds import Kind, Text
from preferences.numbers import Money, Percent
from preferences.registry import CHANGE, Group, Others, Preference, declare
from upstream.money import MICROS, micros_from_decimal

PAYMENTS = Group(_("Ways to pay"), 65, "payments", _("What holds for those that are set up (see .env.example)."))
RECEIPTS = Group(_("Receipts"), 67, "receipts")
KEEPS_PAYMENTS = "wallet.change_topup"
MOST = Money(0, 1_000_000 * MICROS)
NAMES: dict[str, Promise] = {"stripe": _("Card"), "btcpay": _("Bitcoin"), "manual": _("Bank transfer")}


@dataclass(frozen=True)
class OfGateway:
    """What is set of one way to pay: shares in percent, amounts in micros; `most` of 0 is no limit."""

    fee_percent: Preference[Decimal]
    fee_fixed: Preference[int]
    least: Preference[int]
    most: Preference[int]
    bonus_percent: Preference[Decimal]
    bonus_from: Preference[int]


def _of_settings(gateway: str, name: str, *, micros: bool) -> Callable[[], Any]:
    def found() -> Any:
        value = settings.PAYMENT_TERMS.get(gateway, {}).get(name, Decimal(0))
        return micros_from_decimal(value) if micros else value

    return found


def _told_of_bonus(percent: Decimal) -> str:
    if percent <= 20:
        return ""
    text = gettext("A bonus of %(percent)s is money that the shop gives away with every payment.")
    return text % {"percent": f"{percent.normalize():f}%"}


def _declared(gateway: str, title: Promise) -> OfGateway:
    def one(
        name: str, kind: Kind[Any], what: Promise, permission: str = KEEPS_PAYMENTS, **more: Any
    ) -> Preference[Any]:
        return declare(
            Preference(
                f"{gateway}_{name}",
                kind,
                format_lazy("{}: {}", title, what),
                PAYMENTS,
                setting=f"{gateway.upper()}_{name.upper()}",
                default=_of_settings(gateway, name, micros=isinstance(kind, Money)),
                permission=permission,
                **more,
            )
        )

    least = one("min", MOST, _("least amount"))

    def not_below_the_least(value: int, others: Others) -> None:
        if value and value < others(least):
            raise ValidationError(gettext("This must not be below the least amount."))

    # A bonus is money given away, to staff who pay as well: the owner's alone.
    return OfGateway(
        least=least,
        most=one("max", MOST, _("largest amount"), help=_("0: no limit."), agrees=not_below_the_least),
        fee_percent=one("fee_percent", Percent(Decimal(0), Decimal(50)), _("fee, %")),
        fee_fixed=one("fee_fixed", Money(0, 1_000 * MICROS), _("fee on top")),
        bonus_percent=one(
            "bonus_percent", Percent(Decimal(0), Decimal(100)), _("bonus, %"), CHANGE, warn=_told_of_bonus
        ),
        bonus_from=one("bonus_from", MOST, _("bonus from this amount on"), CHANGE),
    )


TERMS: dict[str, OfGateway] = {gateway: _declared(gateway, title) for gateway, title in NAMES.items()}
SELLER: Preference[str] = declare(
    Preference(
        "seller",
        Text(longest=500, lines=True, optional=True),
        _("Who sells"),
        RECEIPTS,
        help=_("Name, address and tax number as your receipts have to show them. Receipts that were issued stay."),
        setting="SELLER_DETAILS",
    )
)
TAX: Preference[Decimal] = declare(
    Preference(
        "tax_percent",
        Percent(Decimal(0), Decimal(100)),
        _("Tax contained in what was paid, %"),
        RECEIPTS,
        help=_("0: receipts name none. Receipts that were issued stay."),
        setting="RECEIPT_TAX_PERCENT",
    )
)
