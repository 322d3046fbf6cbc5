"""The admin as a whole: who may come in, its sidebar, and the overview on its first page."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Category, OrderForm, Service, SyncRun
from orders.fulfilment.solvency import forecast
from orders.models import OPEN, ContractDrift, ForwardingPause, Order, ServiceRequest, Status
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured
from upstream.limits.limiter import Down
from wallet.models import MoneyRequest, TopUp

# allauth's sign-in page does it: its rate limits, e-mail verification and second factor guard the admin as well.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: groups of the models this person may see, in the order of a working day."""
    groups = [
        (
            _("Orders"),
            [
                *_orders(request),
                _requests(request),
                _item(request, "orders.orderevent", _("Events"), "history"),
                _item(request, "orders.checkout", _("Checkouts"), "shopping_bag"),
                _item(request, "orders.pendingcheckout", _("Pending checkouts"), "hourglass_top"),
                _item(request, "orders.deliveredgoods", _("Delivered goods"), "package_2"),
                _item(request, "orders.goodsreveal", _("Looks at goods"), "visibility"),
                _item(request, "notifications.notice", _("Notices"), "outgoing_mail"),
            ],
        ),
        (
            _("Supplier"),
            [
                _item(request, "orders.forwardingpause", _("Forwarding pauses"), "pause_circle"),
                _drifts(request),
                _item(request, "orders.knownrefusal", _("Known refusals"), "block"),
                _item(request, "orders.statusword", _("Status words"), "translate"),
                _item(request, "orders.upstreamassumption", _("Assumptions"), "rule"),
                _item(request, "orders.servicepace", _("Pace of services"), "speed"),
            ],
        ),
        (
            _("Money"),
            [
                _item(request, "orders.books", _("Books"), "auto_stories"),
                _item(request, "wallet.wallet", _("Wallets"), "account_balance_wallet"),
                _item(request, "wallet.ledgerentry", _("Ledger"), "receipt_long"),
                _payments(request),
                _item(request, "wallet.receipt", _("Receipts"), "receipt"),
                _item(request, "wallet.gatewayevent", _("Gateway events"), "cell_tower"),
                _item(request, "wallet.receivable", _("Receivables"), "money_off"),
                _money_requests(request),
                _item(request, "orders.coupon", _("Coupons"), "confirmation_number"),
                _item(request, "orders.couponuse", _("Uses of coupons"), "redeem"),
                _item(request, "orders.referralearning", _("Referrals"), "group_add"),
                _item(request, "orders.upstreamentry", _("Upstream account"), "account_balance"),
                _item(request, "orders.upstreambalance", _("Upstream balance"), "monitoring"),
                _item(request, "orders.servicecost", _("Costs of services"), "difference"),
            ],
        ),
        (
            _("Catalog"),
            [
                _item(request, "catalog.service", _("Services"), "sell"),
                _item(request, "catalog.category", _("Categories"), "category"),
                _item(request, "catalog.subcategory", _("Subcategories"), "account_tree"),
                _item(request, "catalog.markuprule", _("Markup rules"), "percent"),
                _item(request, "catalog.pricelist", _("Price list"), "price_change"),
                _item(request, "catalog.exchangerate", _("Exchange rates"), "currency_exchange"),
                _syncs(request),
                _item(request, "catalog.servicechange", _("Changes of services"), "manage_history"),
                _item(request, "orders.watchedprice", _("Watched prices"), "price_change"),
                _item(request, "catalog.favorite", _("Favourites"), "favorite"),
                _item(request, "catalog.stockalert", _("Stock watches"), "notifications"),
            ],
        ),
        (
            _("SMS"),
            [
                *_numbers(request),
                _item(request, "sms.site", _("Websites and apps"), "web"),
                _item(request, "sms.country", _("Countries"), "public"),
                _item(request, "sms.project", _("SMS projects"), "apps"),
                _item(request, "sms.numbermarkuprule", _("Markup rules of numbers"), "percent"),
                _item(request, "sms.successrate", _("Success rates"), "monitoring"),
                _item(request, "sms.forbiddenword", _("Forbidden words"), "block"),
                _item(request, "sms.numberlimit", _("Limits of numbers"), "speed"),
                _item(request, "sms.swaprule", _("Automatic exchanges"), "swap_horiz"),
            ],
        ),
        (
            _("People"),
            [
                _item(request, "accounts.user", _("Customers"), "person"),
                _item(request, "accounts.customergroup", _("Customer groups"), "groups"),
                _item(request, "accounts.apikey", _("API keys"), "key"),
                _item(request, "accounts.apikeyspending", _("Spending of API keys"), "speed"),
                _item(request, "api.playorder", _("Test orders"), "science"),
                _item(request, "api.playwallet", _("Test wallets"), "toys"),
                _item(request, "api.webhook", _("Webhooks"), "webhook"),
                _item(request, "api.webhookdelivery", _("Webhook messages"), "outbox"),
                _item(request, "account.emailaddress", _("E-mail addresses"), "mail"),
                _item(request, "mfa.authenticator", _("Second factors"), "lock"),
                _item(request, "auth.group", _("Staff roles"), "badge"),
            ],
        ),
    ]
    allowed = [(title, [item for item in items if item["allowed"]]) for title, items in groups]
    return [{"title": title, "separator": True, "items": items} for title, items in allowed if items]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview to the first page: open orders, what needs a human, pauses and the last syncs."""
    if not request.user.has_perm("orders.view_order"):
        return context
    by_status = dict(
        Order.objects.open().order_by().values_list("status").annotate(count=Count("pk"))  # no ordering: it would group
    )
    orders_page = reverse("admin:orders_order_changelist")
    context["overview"] = {
        "open": [
            {
                "label": Status(status).label,
                "count": by_status.get(status, 0),
                "link": f"{orders_page}?status__exact={status}",
            }
            for status in OPEN
        ],
        "attention": Order.objects.needing_attention().count(),
        "attention_link": f"{orders_page}?attention=yes",
        "pauses": ForwardingPause.objects.filter(ended_at=None),
        "pauses_link": reverse("admin:orders_forwardingpause_changelist"),
        "upstream_down": _upstream_down(),
        "money": forecast(),
        "currency": settings.UPSTREAM_CURRENCY,
        "unconfirmed": Category.objects.filter(rate_confirmed_at=None).count(),
        "unconfirmed_link": reverse("admin:catalog_category_changelist") + "?rate_confirmed_at__isempty=1",
        "unknown_types": _unknown_types(),
        "money_requests": _money_requests(request),
        "held_back": SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED),
        "syncs": [run for kind in SyncRun.Kind for run in SyncRun.objects.filter(kind=kind)[:1]],
    }
    return context


def _unknown_types() -> list[Item]:
    """Types upstream has on sale and the shop has no order form for: shown to customers, not orderable."""
    page = reverse("admin:catalog_service_changelist")
    counted = Service.objects.on_sale().order_by().values_list("type").annotate(count=Count("pk"))
    return [
        {"type": word, "count": count, "link": f"{page}?{urlencode({'type__exact': word})}"}
        for word, count in sorted(counted)
        if Service(type=word).order_form == OrderForm.UNKNOWN
    ]


def _upstream_down() -> Down | None:
    """Since when calls upstream pause because it does not answer."""
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        return None
    return None if limiter is None else limiter.down()


def _item(request: HttpRequest, model: str, title: str, icon: str) -> Item:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{app}_{name}_changelist"),
        "allowed": request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}"),
    }


def _numbers(request: HttpRequest) -> list[Item]:
    """The numbers, and what they brought: two pages below one address, of which one is lit."""
    item = _item(request, "sms.number", _("SMS numbers"), "sms")
    report = reverse("admin:sms_number_report")
    told = {**item, "title": _("Numbers by site and country"), "icon": "table_chart", "link": report}
    here = request.path == report
    return [
        {**item, "active": request.path.startswith(item["link"]) and not here},
        {**told, "active": here},
    ]


def _payments(request: HttpRequest) -> Item:
    """Payments from outside, with how many wait for a human; then the link leads to those."""
    item = _item(request, "wallet.topup", _("Payments"), "payments")
    count = TopUp.objects.for_a_human().count() if item["allowed"] else 0
    link = f"{item['link']}?attention=yes" if count else item["link"]
    return {**item, "link": link, "badge": str(count) if count else "", "badge_variant": "danger"}


def _syncs(request: HttpRequest) -> Item:
    """The runs of the syncs, with how many wait for a decision."""
    item = _item(request, "catalog.syncrun", _("Sync runs"), "sync")
    count = SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED).count() if item["allowed"] else 0
    return {**item, "badge": str(count) if count else "", "badge_variant": "danger"}


def _drifts(request: HttpRequest) -> Item:
    """What upstream says and its document does not have, with the number still to be mapped."""
    item = _item(request, "orders.contractdrift", _("Contract drift"), "report")
    count = ContractDrift.objects.filter(settled_at=None).count() if item["allowed"] else 0
    return {**item, "badge": str(count) if count else "", "badge_variant": "warning"}


def _orders(request: HttpRequest) -> list[Item]:
    """All orders, and those that need a human: two ways into one list, of which one is lit."""
    item = _item(request, "orders.order", _("Orders"), "shopping_cart")
    here, flagged = request.path.startswith(item["link"]), request.GET.get("attention") == "yes"
    count = Order.objects.needing_attention().count() if item["allowed"] else 0
    attention = {
        **item,
        "title": _("Need a human"),
        "icon": "priority_high",
        "link": f"{item['link']}?attention=yes",
        "active": here and flagged,
        "badge": str(count) if count else "",
        "badge_variant": "danger",
    }
    return [{**item, "active": here and not flagged}, attention]


def _requests(request: HttpRequest) -> Item:
    """What customers ask for after the sale, with how many wait for an answer."""
    item = _item(request, "orders.servicerequest", _("Customers' requests"), "support_agent")
    count = ServiceRequest.objects.filter(state=ServiceRequest.State.OPEN).count() if item["allowed"] else 0
    return {**item, "badge": str(count) if count else "", "badge_variant": "warning"}


def _money_requests(request: HttpRequest) -> Item:
    """Moves of money by hand, with how many wait for a second person."""
    item = _item(request, "wallet.moneyrequest", _("Moves by hand"), "approval")
    count = MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING).count() if item["allowed"] else 0
    return {**item, "count": count, "badge": str(count) if count else "", "badge_variant": "danger"}
