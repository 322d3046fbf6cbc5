"""Is a new shop ready to sell: its name, its catalog, its prices, its ways to pay?

These are asked by the set-up's page, and by `manage.py doctor` of a shop that strangers can reach.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import MarkupRule, Service, SyncRun
from catalog.preferences import DEFAULT_MARKUP, FLOOR_MARGIN, SHARE
from preferences.face import STORE_NAME, SUPPORT_EMAIL
from sms.models import Project
from storefront.models import SetUpStep
from storefront.monitoring.deployment import Trouble
from wallet.gateways import WAYS, Gateway, Unreachable, enabled_gateways

NEVER_ENDED_WELL = (SyncRun.Status.FAILED, SyncRun.Status.REJECTED, SyncRun.Status.QUARANTINED)


def _store() -> str:
    if STORE_NAME.value == STORE_NAME.default_value and not STORE_NAME.is_set_outside:
        raise Trouble(_("the shop has no name of its own: it is still called %(name)s") % {"name": STORE_NAME.value})
    if SUPPORT_EMAIL.value.endswith("@example.com"):
        raise Trouble(_("the support address is the example's: customers write to nobody"))
    return _("called %(name)s, customers write to %(address)s") % {
        "name": STORE_NAME.value,
        "address": SUPPORT_EMAIL.value,
    }


def _catalog() -> str:
    services = Service.objects.on_sale_in_any_category().count()
    if not services:
        last = SyncRun.objects.filter(kind=SyncRun.Kind.CATALOG).first()
        if last is not None and last.status in NEVER_ENDED_WELL:
            raise Trouble(
                _("the last sync brought nothing: %(error)s") % {"error": last.error or last.get_status_display()}
            )
        raise Trouble(_("nothing is for sale yet: no sync of the catalog has ended"))
    numbers = Project.objects.filter(withdrawn_at=None).count()
    sold = ngettext("%(count)d service", "%(count)d services", services) % {"count": services}
    return _("%(services)s and %(count)d offers of numbers have been copied") % {"services": sold, "count": numbers}


def _markup() -> str:
    markup, floor = DEFAULT_MARKUP.value, FLOOR_MARGIN.value
    if not markup and not floor and not MarkupRule.objects.exists():
        raise Trouble(_("everything is sold at cost: there is neither a markup nor a floor margin"))
    return _("cost plus %(markup)s where no rule says otherwise, never below cost plus %(floor)s") % {
        "markup": SHARE.said(markup),
        "floor": SHARE.said(floor),
    }


def _payments() -> str:
    begun = [way for way in WAYS if way.missing() and len(way.missing()) < len(way.variables)]
    troubles = [_half_set(way) for way in begun]
    found = []
    for gateway in enabled_gateways().values():
        try:
            found.append(f"{gateway.title}: {gateway.try_out()}")
        except Unreachable as error:
            troubles.append(f"{gateway.title}: {error}")
    if troubles:
        raise Trouble("; ".join(troubles))
    if not found:
        if SetUpStep.objects.filter(name="payments", state=SetUpStep.State.SKIPPED).exists():
            return _("none yet, as was decided at the set-up: customers can't add money")
        raise Trouble(_("there is no way to pay: customers can't add money"))
    return "; ".join(found)


def _half_set(way: type[Gateway]) -> str:
    return _("%(way)s is not offered, because %(names)s is empty") % {
        "way": way.title,
        "names": ", ".join(way.missing()),
    }


PARTS: dict[str, Callable[[], str]] = {
    "store": _store,
    "catalog": _catalog,
    "markup": _markup,
    "payments": _payments,
}
