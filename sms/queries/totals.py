"""What the reports' totals are kept by that only numbers have: the country, and the website or app."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from orders.accounting.daily_totals.dimensions import Dimension
from sms.models import Country, Number, Project, Site

_OF_NUMBER = f"""
    LEFT JOIN {Number._meta.db_table} number ON number.order_id = lines.order_id
    LEFT JOIN {Project._meta.db_table} project ON project.id = number.project_id"""


def _countries(keys: Collection[int]) -> dict[int, str]:
    return dict(Country.objects.filter(pk__in=keys).values_list("pk", "name"))


def _sites(keys: Collection[int]) -> dict[int, str]:
    return dict(Site.objects.filter(pk__in=keys).values_list("pk", "name"))


BY_COUNTRY = Dimension(
    "country",
    _("Country"),
    "sms.country",
    key="COALESCE(project.country_id, 0)",
    joins=_OF_NUMBER,
    names=_countries,
    page="sms_country_change",
    orders="number__project__country__id__exact",
    none=_("Services"),
    only_with_key=True,
)
BY_SITE = Dimension(
    "site",
    _("Website or app"),
    "sms.site",
    key="COALESCE(project.site_id, 0)",
    joins=_OF_NUMBER,
    names=_sites,
    page="sms_site_change",
    orders="number__project__site__id__exact",
    none=_("Services"),
    only_with_key=True,
)
