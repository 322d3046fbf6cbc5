"""Telling customers' own servers what happens to their orders and numbers.

A change of an order writes a delivery for each webhook that wants it, in the same transaction (`events`). A sweep
claims what is due, posts it and records the answer (`sending`), to public addresses only (`addresses`, `posting`),
signed with the webhook's secret (`signing`).
"""
