"""The technical tables of the admin, as data: what the lists of `storefront.admin_navigation` are made of."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from storefront.admin_navigation import Entry

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
            Entry(
                "orders.foundorder",
                _("Orders found after a restore"),
                about=_("What the supplier has from the time that a restored database has forgotten."),
            ),
            Entry(
                "orders.restoregap",
                _("Gaps after a restore"),
                about=_("Which of the supplier's order numbers a restored database may have forgotten."),
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
    (
        _("Staff"),
        [
            Entry(
                "jobs.staffjob",
                _("Background jobs"),
                about=_("Long work that was asked for here: files of lists, changes of many rows, how far they are."),
            ),
        ],
    ),
]
