"""Delivered lines read into named columns. Every line stays as it came, beside its columns."""

from orders.columns.goods import Goods, read_goods

__all__ = ["Goods", "read_goods"]
