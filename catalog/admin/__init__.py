"""Admin pages of the catalog: what upstream says is shown, what the shop decides on top of it is edited."""

from catalog.admin import (
    customers,
    exchange_rates,
    import_rules,
    prices,
    rules,
    services,
    syncs,
    synonyms,
    titles,
)

__all__ = [
    "customers",
    "exchange_rates",
    "import_rules",
    "prices",
    "rules",
    "services",
    "syncs",
    "synonyms",
    "titles",
]
