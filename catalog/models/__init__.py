"""What is for sale, at what price, and how we know: tables by subject."""

from catalog.models.exchange import ExchangeRate
from catalog.models.rules import MarkupRule, PriceList
from catalog.models.services import (
    Category,
    CategoryQuerySet,
    Delivery,
    OrderForm,
    RateUnit,
    Service,
    ServiceQuerySet,
    Subcategory,
)
from catalog.models.syncs import QuarantinedListing, ServiceChange, SyncRun
from catalog.models.wishes import Favourite, StockWatch

__all__ = [
    "Category",
    "CategoryQuerySet",
    "Delivery",
    "ExchangeRate",
    "Favourite",
    "MarkupRule",
    "OrderForm",
    "PriceList",
    "QuarantinedListing",
    "RateUnit",
    "Service",
    "ServiceChange",
    "ServiceQuerySet",
    "StockWatch",
    "Subcategory",
    "SyncRun",
]
