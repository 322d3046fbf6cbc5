"""What the totals are kept by. An app above registers what only it knows, once, when the apps are ready."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerGroup, User
from catalog.models import Category, Service

WHOLE = "all"  # everything of a span in one row
Names = Callable[[Collection[int]], Mapping[int, str]]


@dataclass(frozen=True)
class Dimension:
    """A sort of things that sales belong to.

    `key` is the SQL of a line's id, with `joins` from `lines` on (see `statement.py`), which must find one row at most;
    a line that belongs to none has 0. `model` says whose rows somebody must be allowed to see to see this, `page` is
    the admin's page of one of them, `orders` what the list of orders is filtered by for one. A report by it is about
    all lines, or `only_with_key`.
    """

    name: str
    title: Promise
    model: str
    key: str
    names: Names
    page: str
    orders: str
    none: Promise
    joins: str = ""
    only_with_key: bool = False


_registered: dict[str, Dimension] = {}


def keep_totals_by(dimension: Dimension) -> None:
    """Keep totals by this from now on; days that were reckoned before have none until they are reckoned again."""
    _registered[dimension.name] = dimension


def dimensions() -> dict[str, Dimension]:
    """Return what totals are kept by, by name, in the order in which it was registered."""
    return dict(_registered)


def _services(keys: Collection[int]) -> dict[int, str]:
    found = Service.objects.filter(pk__in=keys).only("name", "display_name", "translated_names")
    return {service.pk: service.title for service in found}


def _categories(keys: Collection[int]) -> dict[int, str]:
    return {category.pk: category.title for category in Category.objects.filter(pk__in=keys)}


def _customers(keys: Collection[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=keys).values_list("pk", "email"))


def _groups(keys: Collection[int]) -> dict[int, str]:
    return dict(CustomerGroup.objects.filter(pk__in=keys).values_list("pk", "name"))


_OF_SERVICE = f"LEFT JOIN {Service._meta.db_table} service ON service.id = lines.service_id"
_OF_CUSTOMER = f"LEFT JOIN {User._meta.db_table} customer ON customer.id = lines.user_id"
for _dimension in (
    Dimension(
        "category",
        _("Category"),
        "catalog.category",
        key="COALESCE(service.category_id, 0)",
        joins=_OF_SERVICE,
        names=_categories,
        page="catalog_category_change",
        orders="service__category__id__exact",
        none=_("SMS numbers"),
    ),
    Dimension(
        "service",
        _("Service"),
        "catalog.service",
        key="COALESCE(lines.service_id, 0)",
        names=_services,
        page="catalog_service_change",
        orders="service__id__exact",
        none=_("SMS numbers"),
    ),
    Dimension(
        "customer",
        _("Customer"),
        "accounts.user",
        key="lines.user_id",
        names=_customers,
        page="accounts_user_change",
        orders="user__id__exact",
        none=_("Unknown"),
    ),
    Dimension(
        "group",
        _("Customer group"),
        "accounts.customergroup",
        key="COALESCE(customer.group_id, 0)",
        joins=_OF_CUSTOMER,
        names=_groups,
        page="accounts_customergroup_change",
        orders="user__group__id__exact",
        none=_("No group"),
    ),
):
    keep_totals_by(_dimension)
