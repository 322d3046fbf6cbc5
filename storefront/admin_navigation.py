"""Where the lists of the admin stand, as data: the sidebar's topics with their tabs.

`storefront.admin_sidebar` makes links of it. The technical tables are in `storefront.admin_advanced`. docs/admin.md
says in words what lies where.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, SyncRun
from orders.models import ContractDrift, GoodsClaim, Order, ServiceRequest
from support.models import Ticket
from wallet.models import MoneyRequest, TopUp


@dataclass(frozen=True)
class Entry:
    """A model's list of rows, or a part of it; shown to whoever may view or change the model."""

    model: str  # "app.model", in lower case
    title: Promise
    # A part of the list, as its query string; or another page of the model's, as its address is named in the admin.
    query: str = ""
    page: str = ""
    # How many rows wait for somebody, asked only for who may see them; then `waiting_query` leads right to those.
    waiting: Callable[[], int] | None = None
    waiting_query: str = ""
    badge: Literal["danger", "warning"] = "danger"
    about: Promise | str = ""  # what a technical table is for, in a sentence


@dataclass(frozen=True)
class Topic:
    """A line of the sidebar; its entries are tabs beside each other, where there are several."""

    title: Promise
    icon: str  # a name of Material Symbols
    entries: tuple[Entry, ...]


NO_TITLE = ""
ORDERS = [
    Topic(
        _("Orders"),
        "shopping_cart",
        (
            Entry("orders.order", _("Orders")),
            Entry(
                "orders.order",
                _("Need attention"),
                query="attention=yes",
                waiting=lambda: Order.objects.needing_attention().count(),
            ),
            Entry(
                "orders.servicerequest",
                _("Customer requests"),
                waiting=lambda: ServiceRequest.objects.filter(state=ServiceRequest.State.OPEN).count(),
                badge="warning",
            ),
        ),
    ),
    Topic(
        _("Reports about goods"),
        "assignment_late",
        (
            Entry(
                "orders.goodsclaim",
                _("Reports about goods"),
                waiting=lambda: GoodsClaim.objects.filter(state=GoodsClaim.State.WAITING).count(),
                waiting_query="state__exact=waiting",
                badge="warning",
            ),
            Entry("orders.deliveredgoods", _("Delivered goods")),
        ),
    ),
    Topic(
        _("Supplier"),
        "local_shipping",
        (
            Entry("orders.forwardingpause", _("Forwarding pauses")),
            Entry(
                "orders.contractdrift",
                _("Contract drift"),
                waiting=lambda: ContractDrift.objects.filter(settled_at=None).count(),
                badge="warning",
            ),
        ),
    ),
]
CATALOG = [
    Topic(
        _("Services"),
        "sell",
        (
            Entry("catalog.service", _("Services")),
            Entry("catalog.category", _("Categories")),
            Entry("catalog.subcategory", _("Subcategories")),
            Entry("orders.goodsformat", _("Goods formats")),
        ),
    ),
    Topic(
        _("Prices"),
        "percent",
        (
            Entry("catalog.markuprule", _("Markup rules")),
            Entry("catalog.pricelist", _("Price list")),
            Entry("catalog.exchangerate", _("Exchange rates")),
        ),
    ),
    Topic(
        _("Rate units to confirm"),
        "straighten",
        (
            Entry(
                "orders.rateunitquestion",
                _("Rate units to confirm"),
                waiting=lambda: Category.objects.filter(rate_confirmed_at=None).count(),
                badge="warning",
            ),
        ),
    ),
    Topic(
        _("Sync runs"),
        "sync",
        (
            Entry(
                "catalog.syncrun",
                _("Sync runs"),
                waiting=lambda: SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED).count(),
            ),
            Entry("catalog.servicechange", _("Service changes")),
            Entry("catalog.importrule", _("Import rules")),
        ),
    ),
    Topic(
        _("Names and search"),
        "short_text",
        (
            Entry("catalog.titlerule", _("Title rules")),
            Entry("catalog.searchsynonym", _("Search synonyms")),
            Entry("catalog.mappedtype", _("Service types")),
        ),
    ),
]
NUMBERS = [
    Topic(
        _("SMS numbers"),
        "sms",
        (
            Entry("sms.number", _("SMS numbers")),
            Entry("sms.number", _("Numbers by site and country"), page="sms_number_report"),
        ),
    ),
    Topic(
        _("Websites and countries"),
        "public",
        (
            Entry("sms.site", _("Websites and apps")),
            Entry("sms.country", _("Countries")),
            Entry("sms.project", _("SMS projects")),
        ),
    ),
    Topic(_("Number markup rules"), "percent", (Entry("sms.numbermarkuprule", _("Number markup rules")),)),
    Topic(
        _("What may be bought"),
        "block",
        (Entry("sms.forbiddenword", _("Forbidden words")), Entry("sms.numberlimit", _("Number limits"))),
    ),
]
MONEY = [
    Topic(
        _("Books"),
        "auto_stories",
        (
            Entry("orders.books", _("Books")),
            Entry("orders.books", _("Reports"), page="orders_reports"),
            Entry("orders.books", _("Services that do badly"), page="orders_service_report"),
        ),
    ),
    Topic(
        _("Payments"),
        "payments",
        (
            Entry(
                "wallet.topup",
                _("Payments"),
                waiting=lambda: TopUp.objects.for_a_human().count(),
                waiting_query="attention=yes",
            ),
            Entry("wallet.topup", _("Money desk"), page="money_desk"),
            Entry("wallet.receipt", _("Receipts")),
        ),
    ),
    Topic(
        _("Wallets"),
        "account_balance_wallet",
        (
            Entry("wallet.wallet", _("Wallets")),
            Entry("wallet.ledgerentry", _("Ledger")),
            Entry("wallet.receivable", _("Receivables")),
        ),
    ),
    Topic(
        _("Manual adjustments"),
        "approval",
        (
            Entry(
                "wallet.moneyrequest",
                _("Manual adjustments"),
                waiting=lambda: MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING).count(),
            ),
        ),
    ),
    Topic(
        _("Coupons and referrals"),
        "confirmation_number",
        (
            Entry("orders.coupon", _("Coupons")),
            Entry("orders.referralearning", _("Referrals")),
            Entry("orders.cashbackearning", _("Cashback")),
        ),
    ),
    Topic(
        _("Upstream account"),
        "account_balance",
        (Entry("orders.upstreamentry", _("Upstream account")), Entry("orders.upstreambalance", _("Upstream balance"))),
    ),
]
CUSTOMERS = [
    Topic(
        _("Customers"),
        "person",
        (
            Entry("accounts.user", _("Customers")),
            Entry("accounts.customergroup", _("Customer groups")),
            Entry("accounts.denyrule", _("Deny lists")),
            Entry("accounts.denyhit", _("Deny list hits")),
        ),
    ),
    Topic(
        _("Tickets"),
        "forum",
        (
            Entry(
                "support.ticket",
                _("Tickets"),
                waiting=lambda: Ticket.objects.filter(state=Ticket.State.OPEN).count(),
            ),
            Entry("support.cannedanswer", _("Canned answers")),
            Entry("support.firstanswerrule", _("First answers")),
        ),
    ),
    Topic(
        _("Notices"),
        "outgoing_mail",
        (
            Entry("notifications.notice", _("Notices")),
            Entry("notifications.notice", _("Emails"), page="notifications_mails"),
        ),
    ),
    Topic(
        _("API keys"),
        "key",
        (
            Entry("accounts.apikey", _("API keys")),
            Entry("accounts.apikeyspending", _("Spending by API key")),
            Entry("api.webhook", _("Webhooks")),
        ),
    ),
]
SETTINGS = [
    Topic(_("Settings of the shop"), "palette", (Entry("preferences.preferencechange", _("Settings of the shop")),)),
    Topic(_("Texts of the shop"), "article", (Entry("support.document", _("Texts of the shop")),)),
    Topic(
        _("News"),
        "campaign",
        (Entry("support.announcement", _("Announcements")), Entry("support.incident", _("Incidents"))),
    ),
    Topic(
        _("Staff"),
        "badge",
        (Entry("auth.group", _("Staff roles")), Entry("accounts.trailentry", _("Trail"))),
    ),
]
# The sidebar adds the home page to the first group, and the page of the technical tables to the last one.
GROUPS: list[tuple[Promise | str, list[Topic]]] = [
    (NO_TITLE, []),
    (_("Orders"), ORDERS),
    (_("Catalog"), CATALOG),
    (_("Numbers"), NUMBERS),
    (_("Money"), MONEY),
    (_("Customers"), CUSTOMERS),
    (_("Settings"), SETTINGS),
]
