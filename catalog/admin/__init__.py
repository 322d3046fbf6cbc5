"""Admin pages of the catalog: what upstream says is shown, what the shop decides on top of it is edited."""

from catalog.admin import exchange, prices, rules, shelves, syncs, wishes

__all__ = ["exchange", "prices", "rules", "shelves", "syncs", "wishes"]
