"""Sales, refunds, costs and orders of each day, kept by service, customer and so on: what the reports are read from.

A day is reckoned in one transaction from the ledger and the orders, so it agrees with the books to the micro
(`statement.py`, `reckoning.py`). A task reckons what has changed (`keeping.py`), reports read (`reading.py`), the audit
compares (`check.py`). Nothing else writes these rows, and all of them can be made again.
"""
