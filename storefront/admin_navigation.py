"""Where the lists of the admin stand, as data: the sidebar's topics with their tabs, and the technical tables.

`storefront.admin_sidebar` makes links of it. docs/admin.md says in words what lies where.
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
    Topic(_("Books"), "auto_stories", (Entry("orders.books", _("Books")),)),
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
        (Entry("orders.coupon", _("Coupons")), Entry("orders.referralearning", _("Referrals"))),
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
        (Entry("accounts.user", _("Customers")), Entry("accounts.customergroup", _("Customer groups"))),
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
    Topic(_("The shop's face"), "palette", (Entry("preferences.preferencechange", _("The shop's face")),)),
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

ADVANCED: list[tuple[Promise, list[Entry]]] = [
    (
        _("Orders"),
        [
            Entry(
                "orders.attentionflag",
                _("Attention flags"),
                about=_("Why orders wait for a human, also those that are settled by now."),
            ),
            Entry(
                "orders.lostattempt",
                _("Lost attempts"),
                about=_("Attempts to buy whose answer never came, and what was found out about them."),
            ),
            Entry("orders.orderevent", _("Events"), about=_("Every step of every order, and who took it.")),
            Entry("orders.checkout", _("Checkouts"), about=_("What was ordered with one press of a button.")),
            Entry(
                "orders.pendingcheckout",
                _("Pending checkouts"),
                about=_("Orders that are placed by themselves once the payment begun for them arrives."),
            ),
            Entry("orders.goodsreveal", _("Views of goods"), about=_("Who looked at delivered goods, and when.")),
        ],
    ),
    (
        _("Supplier"),
        [
            Entry(
                "orders.knownrefusal",
                _("Known refusals"),
                about=_("What the supplier's error texts mean: for one order, or for the whole shop."),
            ),
            Entry(
                "orders.statusword",
                _("Status words"),
                about=_("Which status a word of the supplier's stands for."),
            ),
            Entry(
                "orders.upstreamassumption",
                _("Assumptions"),
                about=_("What the shop takes for granted about the supplier, and whether it was seen to be wrong."),
            ),
        ],
    ),
    (
        _("Catalog"),
        [
            Entry(
                "orders.servicepace",
                _("Completion times"),
                about=_("How long each service usually takes, as the shop's own orders show."),
            ),
            Entry(
                "orders.servicecost",
                _("Service costs"),
                about=_("What services were expected to cost and what the supplier charged."),
            ),
            Entry(
                "orders.watchedprice",
                _("Watched prices"),
                about=_("Services that customers are told of when the price changes."),
            ),
            Entry(
                "catalog.stockalert",
                _("Stock alerts"),
                about=_("Services that customers are told of when they are on sale again."),
            ),
            Entry("catalog.favorite", _("Favorites"), about=_("Services that customers keep at hand.")),
        ],
    ),
    (
        _("Numbers"),
        [
            Entry(
                "sms.successrate",
                _("Success rates"),
                about=_("How many numbers of a website and country got a code, and how fast."),
            ),
            Entry(
                "sms.replacementrule",
                _("Automatic replacements"),
                about=_("Numbers that are replaced by themselves when no code comes, and within which limits."),
            ),
        ],
    ),
    (
        _("Money"),
        [
            Entry(
                "wallet.gatewayevent",
                _("Gateway events"),
                about=_("What payment gateways sent, word for word, and what the shop made of it."),
            ),
            Entry("orders.couponuse", _("Coupon uses"), about=_("Who used which coupon on which order.")),
        ],
    ),
    (
        _("Customers"),
        [
            Entry(
                "account.emailaddress",
                _("Email addresses"),
                about=_("Addresses of accounts, and whether they were confirmed."),
            ),
            Entry(
                "mfa.authenticator",
                _("Two-factor methods"),
                about=_("Second factors of accounts; deleting one lets somebody in who has lost it."),
            ),
            Entry(
                "support.termsacceptance",
                _("Accepted terms"),
                about=_("Who agreed to which version of the terms, when and where."),
            ),
            Entry(
                "api.webhookdelivery",
                _("Webhook messages"),
                about=_("What was sent to customers' programs, and what they answered."),
            ),
            Entry("api.simulatedorder", _("Test orders"), about=_("Orders placed with test keys of the API.")),
            Entry("api.simulatedwallet", _("Test wallets"), about=_("The play money of test keys.")),
        ],
    ),
]
