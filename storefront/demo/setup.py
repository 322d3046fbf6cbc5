"""What the demo's database holds before the first visitor: tables, two accounts, some money, a catalog."""

import contextlib
import hashlib
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Service
from catalog.operations.overrides import confirm_rate_units
from catalog.pricing.repricing import reprice_services
from sms.models import Project
from storefront.demo import history
from storefront.set_up.operations import close_set_up
from upstream.client import default_client
from upstream.money import MICROS, micros_from_decimal
from upstream.sandbox.catalog import PIECES_PER_RATE, kind_of
from wallet.models import LedgerEntry
from wallet.operations import AlreadyBooked, credit

ADMIN = "admin@example.com"
CUSTOMER = "customer@example.com"
PASSWORD = "demo-password"  # noqa: S105 - printed on the screen, on a shop that only this machine can reach
FIRST_MONEY = history.OpeningMoney(500 * MICROS, "credit:demo", "Money to try the demo with")


def migrate() -> None:
    """Bring the tables up to date; nothing is left to be set up here."""
    call_command("migrate", verbosity=0, interactive=False)
    close_set_up(now=timezone.now())


def collect_static(stamp: Path) -> None:
    """Collect the static files, unless none has changed since `stamp` was written."""
    state = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            about = Path(storage.path(path)).stat()
            state.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    collected = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not collected.is_file() or not stamp.is_file() or stamp.read_text() != state.hexdigest():
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(state.hexdigest())


def accounts() -> tuple[User, User]:
    """Create the admin and the customer where they are not there yet, and return both."""
    return _account(ADMIN, is_staff=True, is_superuser=True), _account(CUSTOMER)


def past(staff: User, customer: User) -> None:
    """Give a new shop some weeks of history; in any case the customer is given money, once."""
    history.seed(
        customer=customer,
        staff=staff,
        opening=FIRST_MONEY,
        balance_upstream_micros=micros_from_decimal(default_client().balance().balance),
        now=timezone.now(),
    )
    with contextlib.suppress(AlreadyBooked):  # a later start, or a part of the history
        credit(
            user=customer,
            amount_micros=FIRST_MONEY.micros,
            kind=LedgerEntry.Kind.ADJUSTMENT,
            reference=FIRST_MONEY.reference,
            note=FIRST_MONEY.note,
        )


def catalog() -> None:
    """Sync services and numbers where there are none yet; afterwards beat keeps them fresh."""
    if not Service.objects.exists():
        call_command("sync_catalog")
    if not Project.objects.exists():
        call_command("sync_sms")
    confirm_sandbox_units()


def confirm_sandbox_units() -> None:
    """Take what the sandbox's rates buy as known; a real shop's admin confirms it, or sells small orders first."""
    unconfirmed = Category.objects.filter(rate_confirmed_at=None)
    if not unconfirmed.exists():
        return
    for category in unconfirmed:
        unit = PIECES_PER_RATE[kind_of(category.name)]  # a name alone does not always tell goods from work
        Category.objects.filter(pk=category.pk).update(rate_per=unit)
    confirm_rate_units(unconfirmed, now=timezone.now())
    reprice_services(now=timezone.now())


def _account(email: str, **rights: bool) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, **rights)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
