"""How an order was priced, in words for staff; from the terms that the order keeps."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import MarkupRule, Rounding
from catalog.pricing.book import OWN_SCOPE
from upstream.money import decimal_from_micros, text_from_micros

# Scopes of the rules of SMS numbers, as `sms.pricing` writes them into the terms.
NUMBER_SCOPES = {
    "number:all": gettext_lazy("all numbers"),
    "number:country": gettext_lazy("country"),
    "number:site": gettext_lazy("website or app"),
    "number:project": gettext_lazy("website or app in one country"),
}


def pricing_in_words(terms: Mapping[str, Any], *, store: str, upstream: str) -> list[str]:
    """Return one sentence for each step from upstream's rate to ours; none for an order that keeps no terms.

    `terms` is what `PriceBook.terms` returned when the order was taken; `store` and `upstream` are the currencies.
    """
    if not terms:
        return []
    unit = _("each") if terms["rate_per"] == 1 else _("per 1,000")
    steps = [
        _("Upstream's rate: %(rate)s %(unit)s.")
        % {"rate": _amount(terms["rate_upstream_micros"], upstream), "unit": unit}
    ]
    if upstream != store:
        exchange_rate = decimal_from_micros(terms["exchange_rate_micros"]).normalize()
        steps.append(
            _("1 %(upstream)s cost %(amount)s %(store)s.")
            % {"upstream": upstream, "amount": f"{exchange_rate:f}", "store": store}
        )
    steps.append(_listed(terms, store))
    if terms["rate_override_micros"] is None and terms["rounding"]:
        label = Rounding(terms["rounding"]).label
        steps.append(_("Rounded up %(to)s.") % {"to": label})
    if Decimal(terms["discount_percent"]):
        steps.append(_("Customer group discount: %(percent)s%%.") % {"percent": _percent(terms["discount_percent"])})
    steps.append(_("Never below cost plus %(percent)s%%.") % {"percent": _percent(terms["floor_percent"])})
    steps.append(_("Result: %(rate)s %(unit)s.") % {"rate": _amount(terms["rate_micros"], store), "unit": unit})
    return steps


def _listed(terms: Mapping[str, Any], store: str) -> str:
    if terms["rate_override_micros"] is not None:
        return _("The service's own price: %(amount)s.") % {"amount": _amount(terms["rate_override_micros"], store)}
    words = {"percent": _percent(terms["percent"]), "amount": _amount(terms["fixed_micros"], store)}
    if terms["scope"] == OWN_SCOPE:
        source = _("The service's own markup")
    elif terms["rule"] is None:
        source = _("The shop's default markup")
    elif terms["scope"] in NUMBER_SCOPES:
        source = _("Number markup rule #%(id)d (%(scope)s)") % {
            "id": terms["rule"],
            "scope": NUMBER_SCOPES[terms["scope"]],
        }
    else:
        source = _("Markup rule #%(id)d (%(scope)s)") % {
            "id": terms["rule"],
            "scope": MarkupRule.Scope(terms["scope"]).label,
        }
    if terms["fixed_micros"]:
        return source + ": " + _("%(percent)s%% and %(amount)s.") % words
    return source + ": " + _("%(percent)s%%.") % words


def _amount(micros: int, currency: str) -> str:
    return f"{text_from_micros(micros)} {currency}"


def _percent(text: str) -> str:
    """Return `12.5` for `12.50`."""
    return f"{Decimal(text).normalize():f}"
