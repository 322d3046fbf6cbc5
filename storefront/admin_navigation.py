"""The admin's sidebar as data, in the order of a working day; `storefront.admin.navigation` makes links of it."""

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
    """A line of the sidebar: a model's list of rows, shown to whoever may view or change them."""

    model: str  # "app.model", in lower case
    title: Promise
    icon: str  # a name of Material Symbols
    # A part of the list, as its query string; or another page of the model's, as its address is named in the admin.
    query: str = ""
    page: str = ""
    # How many rows wait for somebody, asked only for who may see them; then `waiting_query` leads right to those.
    waiting: Callable[[], int] | None = None
    waiting_query: str = ""
    badge: Literal["danger", "warning"] = "danger"


# The first page of the admin shows it, too.
MONEY_REQUESTS = Entry(
    "wallet.moneyrequest",
    _("Manual adjustments"),
    "approval",
    waiting=lambda: MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING).count(),
)

GROUPS: list[tuple[Promise, list[Entry]]] = [
    (
        _("Orders"),
        [
            Entry("orders.order", _("Orders"), "shopping_cart"),
            Entry(
                "orders.order",
                _("Need attention"),
                "priority_high",
                query="attention=yes",
                waiting=lambda: Order.objects.needing_attention().count(),
            ),
            Entry(
                "orders.servicerequest",
                _("Customer requests"),
                "support_agent",
                waiting=lambda: ServiceRequest.objects.filter(state=ServiceRequest.State.OPEN).count(),
                badge="warning",
            ),
            Entry("orders.attentionflag", _("Attention flags"), "flag"),
            Entry("orders.lostattempt", _("Lost attempts"), "help"),
            Entry("orders.orderevent", _("Events"), "history"),
            Entry("orders.checkout", _("Checkouts"), "shopping_bag"),
            Entry("orders.pendingcheckout", _("Pending checkouts"), "hourglass_top"),
            Entry("orders.deliveredgoods", _("Delivered goods"), "package_2"),
            Entry("orders.goodsreveal", _("Views of goods"), "visibility"),
            Entry(
                "orders.goodsclaim",
                _("Reports about goods"),
                "assignment_late",
                waiting=lambda: GoodsClaim.objects.filter(state=GoodsClaim.State.WAITING).count(),
                waiting_query="state__exact=waiting",
                badge="warning",
            ),
            Entry("notifications.notice", _("Notices"), "outgoing_mail"),
            Entry("notifications.notice", _("Emails"), "drafts", page="notifications_mails"),
        ],
    ),
    (
        _("Support"),
        [
            Entry(
                "support.ticket",
                _("Tickets"),
                "forum",
                waiting=lambda: Ticket.objects.filter(state=Ticket.State.OPEN).count(),
            ),
            Entry("support.cannedanswer", _("Canned answers"), "quickreply"),
            Entry("support.firstanswerrule", _("First answers"), "smart_toy"),
        ],
    ),
    (
        _("Supplier"),
        [
            Entry("orders.forwardingpause", _("Forwarding pauses"), "pause_circle"),
            Entry(
                "orders.contractdrift",
                _("Contract drift"),
                "report",
                waiting=lambda: ContractDrift.objects.filter(settled_at=None).count(),
                badge="warning",
            ),
            Entry("orders.knownrefusal", _("Known refusals"), "block"),
            Entry("orders.statusword", _("Status words"), "translate"),
            Entry("catalog.mappedtype", _("Service types"), "category_search"),
            Entry("orders.upstreamassumption", _("Assumptions"), "rule"),
            Entry("orders.servicepace", _("Completion times"), "speed"),
        ],
    ),
    (
        _("Money"),
        [
            Entry("orders.books", _("Books"), "auto_stories"),
            Entry("wallet.wallet", _("Wallets"), "account_balance_wallet"),
            Entry("wallet.ledgerentry", _("Ledger"), "receipt_long"),
            Entry(
                "wallet.topup",
                _("Payments"),
                "payments",
                waiting=lambda: TopUp.objects.for_a_human().count(),
                waiting_query="attention=yes",
            ),
            Entry("wallet.receipt", _("Receipts"), "receipt"),
            Entry("wallet.gatewayevent", _("Gateway events"), "cell_tower"),
            Entry("wallet.receivable", _("Receivables"), "money_off"),
            MONEY_REQUESTS,
            Entry("orders.coupon", _("Coupons"), "confirmation_number"),
            Entry("orders.couponuse", _("Coupon uses"), "redeem"),
            Entry("orders.referralearning", _("Referrals"), "group_add"),
            Entry("orders.upstreamentry", _("Upstream account"), "account_balance"),
            Entry("orders.upstreambalance", _("Upstream balance"), "monitoring"),
            Entry("orders.servicecost", _("Service costs"), "difference"),
        ],
    ),
    (
        _("Catalog"),
        [
            Entry("catalog.service", _("Services"), "sell"),
            Entry("catalog.category", _("Categories"), "category"),
            Entry("catalog.subcategory", _("Subcategories"), "account_tree"),
            Entry("catalog.titlerule", _("Title rules"), "short_text"),
            Entry("orders.goodsformat", _("Goods formats"), "view_column"),
            Entry(
                "orders.rateunitquestion",
                _("Rate units to confirm"),
                "straighten",
                waiting=lambda: Category.objects.filter(rate_confirmed_at=None).count(),
                badge="warning",
            ),
            Entry("catalog.markuprule", _("Markup rules"), "percent"),
            Entry("catalog.pricelist", _("Price list"), "price_change"),
            Entry("catalog.exchangerate", _("Exchange rates"), "currency_exchange"),
            Entry(
                "catalog.syncrun",
                _("Sync runs"),
                "sync",
                waiting=lambda: SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED).count(),
            ),
            Entry("catalog.servicechange", _("Service changes"), "manage_history"),
            Entry("orders.watchedprice", _("Watched prices"), "price_change"),
            Entry("catalog.searchsynonym", _("Search synonyms"), "manage_search"),
            Entry("catalog.favorite", _("Favorites"), "favorite"),
            Entry("catalog.stockalert", _("Stock alerts"), "notifications"),
        ],
    ),
    (
        _("SMS"),
        [
            Entry("sms.number", _("SMS numbers"), "sms"),
            Entry("sms.number", _("Numbers by site and country"), "table_chart", page="sms_number_report"),
            Entry("sms.site", _("Websites and apps"), "web"),
            Entry("sms.country", _("Countries"), "public"),
            Entry("sms.project", _("SMS projects"), "apps"),
            Entry("sms.numbermarkuprule", _("Number markup rules"), "percent"),
            Entry("sms.successrate", _("Success rates"), "monitoring"),
            Entry("sms.forbiddenword", _("Forbidden words"), "block"),
            Entry("sms.numberlimit", _("Number limits"), "speed"),
            Entry("sms.replacementrule", _("Automatic replacements"), "swap_horiz"),
        ],
    ),
    (
        _("People"),
        [
            Entry("accounts.user", _("Customers"), "person"),
            Entry("accounts.customergroup", _("Customer groups"), "groups"),
            Entry("accounts.apikey", _("API keys"), "key"),
            Entry("accounts.apikeyspending", _("Spending by API key"), "speed"),
            Entry("api.simulatedorder", _("Test orders"), "science"),
            Entry("api.simulatedwallet", _("Test wallets"), "toys"),
            Entry("api.webhook", _("Webhooks"), "webhook"),
            Entry("api.webhookdelivery", _("Webhook messages"), "outbox"),
            Entry("account.emailaddress", _("Email addresses"), "mail"),
            Entry("mfa.authenticator", _("Two-factor methods"), "lock"),
            Entry("auth.group", _("Staff roles"), "badge"),
            Entry("accounts.trailentry", _("Trail"), "footprint"),
            Entry("support.termsacceptance", _("Accepted terms"), "task_alt"),
        ],
    ),
    (
        _("News"),
        [
            Entry("support.incident", _("Incidents"), "emergency_home"),
            Entry("support.announcement", _("Announcements"), "campaign"),
        ],
    ),
    (
        _("Settings"),
        [
            Entry("preferences.preferencechange", _("Settings of the shop"), "palette"),
            Entry("support.document", _("Texts of the shop"), "article"),
        ],
    ),
]

ENTRIES = [entry for _title, entries in GROUPS for entry in entries]
