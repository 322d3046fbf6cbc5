"""The filters beside a listing as a form, filled into a template that is rendered once."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from catalog.browse.facets import Choice
from catalog.browse.fact_filters import FactFilter
from catalog.browse.listings import Listing
from catalog.caching.prerendered import prerendered

_CHECKED = mark_safe(" checked")
_FLAGS = ("refill", "cancel", "stock")
_NAMES = (
    *("path", "kept", "category_options", "price_from", "price_to", "quantity", "fact_filters"),
    *(f"{flag}_{what}" for flag in _FLAGS for what in ("checked", "count")),
)


def filter_form(listing: Listing, *, out_of_band: bool = False) -> SafeString:
    """Return the form's fields; `out_of_band` has htmx put them in the place of those that are there."""
    form = prerendered(
        "catalog/_facets.html",
        *_NAMES,
        currency=settings.STORE_CURRENCY,
        fixed=listing.fixed is not None,
        out_of_band=out_of_band,
    )
    chosen = listing.subcategory_id
    values: dict[str, object] = {
        "path": listing.path,
        "kept": format_html('<input type="hidden" name="sub" value="{}">', chosen) if chosen else "",
        "category_options": "" if listing.fixed else listing.category_options,
        "price_from": listing.price_from,
        "price_to": listing.price_to,
        "quantity": listing.query.quantity or "",
        "fact_filters": _fact_filters(listing.fact_filters),
    }
    facets = listing.facets
    for flag, choice in zip(_FLAGS, (facets.refill, facets.cancel, facets.in_stock), strict=True):
        values |= _flag(flag, choice)
    return form.fill(values)


def _flag(name: str, choice: Choice) -> dict[str, object]:
    return {f"{name}_checked": _CHECKED if choice.chosen else "", f"{name}_count": choice.written}


def _fact_filters(filters: Iterable[FactFilter]) -> SafeString:
    field = prerendered("components/fact_filter.html", "name", "legend", "everything", "options")
    texts = (
        field.fill(
            {
                "name": each.name,
                "legend": each.legend,
                "everything": each.everything,
                "options": each.options,
            }
        )
        for each in filters
    )
    return mark_safe("".join(texts))  # noqa: S308 - each is safe
