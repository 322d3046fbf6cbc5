"""The steps of the set-up in their order: what each asks of the doctor, and what to write where."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wallet.gateways import WAYS


@dataclass(frozen=True)
class Variable:
    """A line of `.env`, and what to write there."""

    name: str
    write: Promise

    @property
    def is_set(self) -> bool:
        """Whether it has a value, be it the one that the shop came with."""
        return self.name in settings.SET_IN_ENVIRONMENT or bool(getattr(settings, self.name, None))


@dataclass(frozen=True)
class Step:
    """A step by its name; `parts` are the doctor's.

    `is_seen` is for what the database alone knows: it is looked at whenever the page is, and no button asks for it.
    `skipped` says what follows where it is put off; without it, it cannot be.
    """

    name: str
    title: Promise
    about: Promise
    parts: tuple[str, ...]
    is_seen: bool = False
    skipped: Promise | str = ""
    variables: tuple[Variable, ...] = ()


SUPPLIER = (
    Variable("UPSTREAM_URL", _("The supplier's endpoint as a whole, like https://hstockplus.com/api/v2.")),
    Variable("UPSTREAM_KEY", _("The key that the supplier gave you.")),
)
MAIL = (
    Variable("EMAIL_URL", _("Your mail server, like smtp+tls://user:password@host:587.")),
    Variable("FROM_EMAIL", _("Who mails come from; the mail server has to know the address.")),
    Variable("ADMIN_EMAILS", _("Who hears of errors and of books that don't add up, with commas between them.")),
)
PAYMENTS = (
    Variable("STRIPE_SECRET_KEY", _("Cards: the secret key of your Stripe account.")),
    Variable("STRIPE_WEBHOOK_SECRET", _("Cards: the secret of the webhook that you add at Stripe.")),
    Variable("BTCPAY_URL", _("Bitcoin: the address of your BTCPay Server.")),
    Variable("BTCPAY_STORE_ID", _("Bitcoin: the store's ID there.")),
    Variable("BTCPAY_API_KEY", _("Bitcoin: a key that may create and view the store's invoices.")),
    Variable("BTCPAY_WEBHOOK_SECRET", _("Bitcoin: the secret of the webhook that you add there.")),
    Variable("MANUAL_TRANSFER_DETAILS", _("Bank transfer: where customers send the money; \\n begins a new line.")),
)
STEPS = (
    Step(
        "staff",
        _("Second factors"),
        _("Whoever learns your password must not own the shop. Keep the recovery codes away from the device."),
        ("staff",),
        is_seen=True,
        skipped=_("Whoever has none can't open the admin, and whoever learns their password can set one up instead."),
    ),
    Step(
        "machine",
        _("The machine"),
        _("Database, Redis, the workers and the way visitors come in."),
        ("database", "redis", "beat", "clock", "role", "static", "proxy", "https"),
        skipped=_("The shop opens as it is. What is wrong stays wrong, and “manage.py doctor” goes on saying so."),
    ),
    Step(
        "store",
        _("The shop's name"),
        _("How the shop is called, and where customers write to. Logo, color and words are in the settings."),
        ("store",),
        is_seen=True,
    ),
    Step(
        "upstream",
        _("Supplier"),
        _("The key is tried out by asking for your balance there; then the first sync begins."),
        ("upstream",),
        variables=SUPPLIER,
    ),
    Step(
        "catalog",
        _("First sync"),
        _("The supplier's catalog is copied: services, and numbers with their countries."),
        ("catalog",),
        is_seen=True,
        skipped=_("The shop opens with nothing to sell. Every quarter of an hour it tries again."),
    ),
    Step(
        "markup",
        _("Markup"),
        _("What you add to the supplier's prices. Rules for categories and services come later, if you want any."),
        ("markup",),
    ),
    Step(
        "payments",
        _("Ways to pay"),
        _("Each is tried out with a call that moves no money."),
        ("payments",),
        skipped=_("Customers can look around and sign up, but not add money. You can still credit wallets by hand."),
        variables=PAYMENTS,
    ),
    Step(
        "e-mail",
        _("Emails"),
        _("A test email is sent to your own address."),
        ("e-mail",),
        skipped=_("Nobody can confirm an address or get a new password, and you hear of no errors."),
        variables=MAIL,
    ),
)
BY_NAME = {step.name: step for step in STEPS}


def callbacks() -> Iterable[tuple[str, str]]:
    """Return what each vendor is to be told: the way to pay, and the address its webhook calls."""
    for way in WAYS:
        if len(way.variables) > 1:
            yield str(way.title), f"{settings.SITE_URL}/wallet/callbacks/{way.name}"
