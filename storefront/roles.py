"""What each of the shop's ready-made roles may do, over every model that has pages at the admin.

The least each needs: whoever only answers customers neither sees the books nor moves money, and so on. `migrate` and
`manage.py roles` keep them; docs/operations.md says the same in words. Rights beyond this belong into groups of one's
own. A model that no role but the owner's names is the owner's alone.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as all_apps
from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS

from accounts.rights import CATALOG, FINANCE, OWNER, SUPPORT
from accounts.roles import Kept, Roles, keep_roles
from accounts.trail import Action, record

# Permissions that are no model's view, change, add or delete, by who has them beside the owner.
OF_THEIR_OWN = {"accounts.sign_in_as": (SUPPORT,)}


def _may(
    *, view: Iterable[str], change: Iterable[str] = (), add: Iterable[str] = (), delete: Iterable[str] = ()
) -> set:
    """Return permissions. Whoever changes rows sees them; whoever adds or deletes rows changes and sees them."""
    changed = {*change, *add, *delete}
    found = {"view": {*view, *changed}, "change": changed, "add": set(add), "delete": set(delete)}
    return {model.replace(".", f".{act}_") for act, models in found.items() for model in models}


FINANCE_MAY = _may(
    view=[
        "accounts.apikeyspending", "accounts.customergroup", "accounts.denyhit", "accounts.user", "catalog.category",
        "jobs.staffjob",
        "catalog.exchangerate", "catalog.markuprule", "catalog.pricelist", "catalog.service", "catalog.subcategory",
        "orders.attentionflag", "orders.books", "orders.cashbackearning", "orders.checkout", "orders.couponuse",
        "orders.lostattempt", "orders.restoregap",
        "orders.orderevent", "orders.pendingcheckout", "orders.referralearning", "orders.servicecost",
        "orders.servicerequest", "orders.upstreambalance", "preferences.preferencechange", "sms.number",
        "sms.numbermarkuprule", "wallet.gatewayevent", "wallet.ledgerentry", "wallet.receipt", "wallet.receivable",
    ],
    change=["orders.foundorder", "orders.goodsclaim", "orders.order", "wallet.moneyrequest", "wallet.topup",
            "wallet.wallet"],
    add=["accounts.denyrule", "orders.coupon", "orders.upstreamentry"],
    delete=["accounts.denyrule"],
)  # fmt: skip
CATALOG_MAY = _may(
    view=[
        "jobs.staffjob",
        "catalog.exchangerate", "catalog.pricelist", "catalog.quarantinedanswer", "catalog.servicechange",
        "catalog.subcategory", "orders.servicecost", "orders.servicepace", "preferences.preferencechange",
        "sms.successrate",
    ],
    change=[
        "catalog.category", "catalog.service", "catalog.syncrun", "orders.contractdrift", "orders.forwardingpause",
        "orders.rateunitquestion", "orders.upstreamassumption", "sms.country", "sms.project", "sms.site",
    ],
    add=["catalog.importrule", "catalog.mappedtype", "catalog.markuprule", "catalog.searchsynonym", "catalog.titlerule",
         "orders.goodsformat", "orders.knownrefusal", "orders.statusword", "sms.forbiddenword",
         "sms.numbermarkuprule", "support.announcement"],
    delete=["catalog.importrule", "catalog.mappedtype", "catalog.markuprule", "catalog.searchsynonym",
            "catalog.titlerule",
            "orders.goodsformat", "orders.knownrefusal", "orders.statusword", "sms.forbiddenword",
            "sms.numbermarkuprule", "support.announcement"],
)  # fmt: skip
SUPPORT_MAY = _may(
    view=[
        "accounts.apikeyspending", "accounts.customergroup", "accounts.denyhit", "api.simulatedorder",
        "api.simulatedwallet",
        "jobs.staffjob",
        "api.webhook", "api.webhookdelivery", "catalog.category", "catalog.favorite", "catalog.service",
        "catalog.stockalert", "catalog.subcategory", "mfa.authenticator", "orders.attentionflag", "orders.checkout",
        "orders.deliveredgoods", "orders.goodsreveal", "orders.lostattempt", "orders.order",
        "orders.orderevent",
        "orders.pendingcheckout", "orders.servicepace", "orders.watchedprice", "sms.country", "sms.number",
        "sms.numberlimit", "sms.project", "sms.replacementrule", "sms.site", "sms.successrate", "support.announcement",
        "support.firstanswerrule", "support.termsacceptance", "wallet.ledgerentry", "wallet.receipt", "wallet.topup",
        "wallet.wallet",
    ],
    change=[
        "account.emailaddress", "accounts.apikey", "accounts.user", "notifications.notice", "orders.goodsclaim",
        "orders.servicerequest", "support.ticket",
    ],
    add=["accounts.denyrule", "support.cannedanswer", "support.incident"],
    delete=["accounts.denyrule", "support.cannedanswer"],
) | {"mfa.delete_authenticator"}  # fmt: skip


def roles() -> Roles:
    """Return every role's permissions, as "app.codename"."""
    everything = {
        f"{model._meta.app_label}.{act}_{model._meta.model_name}"
        for model in admin.site._registry
        for act in model._meta.default_permissions
    }
    found = {OWNER: everything, FINANCE: FINANCE_MAY, CATALOG: CATALOG_MAY, SUPPORT: SUPPORT_MAY}
    own = {name: {one for one, holders in OF_THEIR_OWN.items() if name in (OWNER, *holders)} for name in found}
    return {name: permissions | own[name] for name, permissions in found.items()}


def keep_the_roles(using: str = DEFAULT_DB_ALIAS, apps: Any = all_apps, **_rest: Any) -> list[Kept]:
    """Put the roles right, and that on the trail, if they were there and somebody had changed them."""
    try:
        apps.get_model("accounts", "TrailEntry")
    except LookupError:
        return []  # migrated to before there was a trail
    kept = keep_roles(roles(), using=using, apps=apps)
    for role in kept:
        if not role.is_new and (role.given or role.taken):
            record(Action.RIGHTS, actor=None, after={"role": role.name, "given": role.given, "taken": role.taken})
    return kept
