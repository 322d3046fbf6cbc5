"""What is for sale, at what price, and how we know: tables by subject."""

from catalog.models.categories import Category, CategoryQuerySet, Delivery, RateUnit, Subcategory
from catalog.models.customers import Favorite, StockAlert
from catalog.models.edits import EditedService, ServiceFilePart
from catalog.models.exchange_rates import ExchangeRate
from catalog.models.groups import CategoryGroup
from catalog.models.import_rules import ImportRule
from catalog.models.quality import ServiceMargin, ServiceQuality, in_steps, shares_of
from catalog.models.rules import BaseMarkupRule, MarkupRule, PriceList, Rounding, markup_rule_constraints
from catalog.models.service_news import ServiceNews
from catalog.models.service_types import MappedType
from catalog.models.services import HAS_STOCK, OrderForm, Service, ServiceQuerySet
from catalog.models.syncs import QuarantinedAnswer, ServiceChange, SyncRun
from catalog.models.synonyms import SearchSynonym, SearchWord
from catalog.models.titles import Fact, PricePoint, TitleRule
from catalog.models.translated import TranslatedName, name_language, searched_names, shown_name
from catalog.models.version import CatalogVersion

__all__ = [
    "HAS_STOCK",
    "BaseMarkupRule",
    "CatalogVersion",
    "Category",
    "CategoryGroup",
    "CategoryQuerySet",
    "Delivery",
    "EditedService",
    "ExchangeRate",
    "Fact",
    "Favorite",
    "ImportRule",
    "MappedType",
    "MarkupRule",
    "OrderForm",
    "PriceList",
    "PricePoint",
    "QuarantinedAnswer",
    "RateUnit",
    "Rounding",
    "SearchSynonym",
    "SearchWord",
    "Service",
    "ServiceChange",
    "ServiceFilePart",
    "ServiceMargin",
    "ServiceNews",
    "ServiceQuality",
    "ServiceQuerySet",
    "StockAlert",
    "Subcategory",
    "SyncRun",
    "TitleRule",
    "TranslatedName",
    "in_steps",
    "markup_rule_constraints",
    "name_language",
    "searched_names",
    "shares_of",
    "shown_name",
]
