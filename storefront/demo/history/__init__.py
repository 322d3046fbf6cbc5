"""The weeks that the demo's shop has behind it, so that nothing is empty when its first visitor comes.

Everything is written once, at the first start, with the moments at which it happened: the ledger and the events of
orders only grow, so nothing could be moved back later. The supplier knows nothing of these orders, and nobody asks it:
they are finished, and their next look is over.
"""

from storefront.demo.history.seed import OpeningMoney, seed

__all__ = ["OpeningMoney", "seed"]
