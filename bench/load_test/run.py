"""One run from an empty database to the verdict."""

import contextlib
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.load_test.layout import alike
from bench.load_test.stage import NUMBER_LIFETIME_SECONDS, SPEED, Stage
from storefront.demo.plan import ROOT
from upstream.sandbox.profiles import HOSTILE

if TYPE_CHECKING:
    from bench.load_test.customers import Account, Crowd, Goods, Shopper

SETTLE_WITHIN_SECONDS = 240.0  # a minute is usual; a queue that stood behind a pause takes longer
ANSWER_WITHIN_SECONDS = 45.0
SERVICES = [("1.50", 1000), ("2.35", 1000), ("0.87", 1000), ("0.0112", 1)]  # upstream's rate, and what it buys
PROJECTS = 3


@dataclass(frozen=True)
class Plan:
    """How hard it should blow."""

    seconds: float
    seed: int = 1
    customers: int = 8
    per_second: float = 6.0
    workers: int = 3
    sqlite: bool = False
    profiles: tuple[str, ...] = ()  # of the sandbox, while the faults last
    folder: Path | None = None  # where logs and data stay; None: nothing stays


@dataclass
class Report:
    """What happened, and everything that must not have."""

    orders: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    gave_up: dict[str, int] = field(default_factory=dict)  # ended without being killed, and were started again
    repeats: int = 0
    duplicates: int = 0
    lost: int = 0
    needing_a_human: int = 0
    left_because: dict[str, int] = field(default_factory=dict)  # service orders that waited for their admin
    adopted: int = 0
    proved_absent: int = 0
    losses: int = 0
    loss_micros: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def run(plan: Plan, *, log: Callable[[str], None]) -> Report:
    """Order for `plan.seconds` under faults, wait until all is settled, return what was found; `log` hears each step.

    Django is set up in here: call it once in a process, before anything else of the shop is imported.
    """
    began = time.monotonic()

    def timed(text: str) -> None:
        log(f"{time.monotonic() - began:6.1f} s  {text}")

    with contextlib.ExitStack() as stack:
        folder = plan.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shop-chaos-")))
        folder.mkdir(parents=True, exist_ok=True)
        stage = stack.enter_context(Stage(folder, workers=alike(plan.workers), sqlite=plan.sqlite, seed=plan.seed))
        report = carry_out(plan, stage, timed, _faults_and_kills(plan, stage, timed))
        report.kills, report.gave_up = dict(stage.kills), dict(stage.gave_up)
        report.faults = dict(stage.faults())
    report.seconds = round(time.monotonic() - began, 1)
    return report


def _faults_and_kills(plan: Plan, stage: Stage, log: Callable[[str], None]) -> "Weather":
    def strike(props: Props) -> None:
        from bench.load_test import faults

        stage.sandbox.set(profiles=plan.profiles, damage_fields=faults.DAMAGED_FIELDS)
        faults.inject(stage, seconds=plan.seconds, seed=plan.seed, log=log)
        stage.sandbox.set(profiles=())

    return strike


@dataclass(frozen=True)
class Props:
    """Who is there while it blows, and what they may buy."""

    crowd: "Crowd"
    accounts: "list[Account]"
    goods: "Goods"
    admin: Any


Weather = Callable[[Props], None]


def carry_out(plan: Plan, stage: Stage, log: Callable[[str], None], weather: Weather) -> Report:
    """Fill the shop, open it, let customers order while `weather` lasts; settle everything and return the verdict."""
    log("preparing the shop")
    accounts, goods, admin = prepare(stage, customers=plan.customers, log=log)
    # Only now, because these read the settings.
    from bench.load_test import settling, verdict
    from bench.load_test.customers import Crowd

    log("web, workers and beat")
    stage.open_shop()
    crowd = Crowd(stage.site, accounts, goods, per_second=plan.per_second, seed=plan.seed)
    one_more = crowd.one_more()
    report = Report()
    try:
        log("the first orders, without faults")
        one_more.buy_a_service()
        one_more.buy_numbers(1)
        settling.await_first(2, seconds=SETTLE_WITHIN_SECONDS)
        log("the faults begin")
        _hang_up()
        crowd.start()
        weather(Props(crowd, accounts, goods, admin))
        _hang_up()
        log("the faults are over")
        unanswered = crowd.close(ANSWER_WITHIN_SECONDS)
        report.problems = [*crowd.crashes, *(f"never answered: {purchase}" for purchase in unanswered)]
        settling.settle(one_more, stage, seconds=SETTLE_WITHIN_SECONDS, log=log)
        log("settled; the first verdict")
        in_doubt = settling.left_to_the_admin()
        report.left_because = settling.reasons_of(in_doubt)
        # Their settling time runs while the verdict is made.
        _lose_one_of_each(stage, one_more)
        settling.await_sent(seconds=SETTLE_WITHIN_SECONDS)
        truth = verdict.Truth(stage.sandbox.orders)
        told = HOSTILE not in plan.profiles
        _take_over(report, verdict.check(truth, crowd.purchases, all_decided=False, charges_are_told=told))
        _audit(report)
        settling.decide_for_the_admin(in_doubt, truth.by_link, admin, log)
        settling.settle(one_more, stage, seconds=SETTLE_WITHIN_SECONDS, log=log)
        log("the admin has decided; the second verdict")
        truth = verdict.Truth(stage.sandbox.orders)
        final = verdict.check(truth, crowd.purchases, all_decided=True, charges_are_told=told)
        for name in ("orders", "adopted", "proved_absent", "losses", "loss_micros"):
            setattr(report, name, getattr(final, name))
        report.problems += final.problems
        _audit_apart(report)
    except settling.NotSettled as error:
        report.problems.append(str(error))
    if not stage.sandbox.books()["adds_up"]:
        report.problems.append("the sandbox's own books do not add up")
    report.repeats = sum(purchase.tries - 1 for purchase in crowd.purchases)
    return report


def _lose_one_of_each(stage: Stage, customer: "Shopper") -> None:
    """Lose an answer of each kind and nothing else: with no rival near, reconciliation has to find out by itself."""
    for action, buy in (("add", customer.buy_a_service), ("add_sms", lambda: customer.buy_numbers(1))):
        stage.sandbox.fail_next("lose_reply", action=action)
        buy()


def _take_over(report: Report, found: Any) -> None:
    for name, value in asdict(found).items():
        if name == "problems":
            report.problems += value
        else:
            setattr(report, name, value)


def prepare(stage: Stage, *, customers: int, log: Callable[[str], None]) -> "tuple[list[Account], Goods, Any]":
    """Fill an empty database: tables, static files, a catalog with known rates, customers with money.

    Sets up Django. Returns the customers, what they may buy, and an administrator.
    """
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import User
    from bench.load_test.customers import Goods
    from catalog.models import Category, Service
    from sms.models import Project

    stage.sandbox.reset(balance="1000000.00")
    stage.sandbox.set(number_lifetime_seconds=NUMBER_LIFETIME_SECONDS * SPEED)
    names = [
        stage.sandbox.add_service(
            name=f"Chaos {rate}", type="Default", category=f"Chaos {unit}", rate=rate, rate_per=unit, min=10, max=1000
        )
        for rate, unit in SERVICES
    ]
    call_command("migrate", verbosity=0, interactive=False)
    log("the static files")
    call_command("collectstatic", verbosity=0, interactive=False)
    log("the catalog")
    call_command("sync_catalog", stdout=_Silence())
    call_command("sync_sms", stdout=_Silence())
    for _rate, unit in SERVICES:
        Category.objects.filter(name=f"Chaos {unit}").update(rate_per=unit, rate_confirmed_at=timezone.now())
    projects = list(Project.objects.order_by("pk")[:PROJECTS])
    for project in projects:
        stage.sandbox.set_project(project.upstream_id, available=1_000_000)
    services = Service.objects.filter(upstream_id__in=names)
    admin = User.objects.create_superuser("sam@example.com", "chaos")
    accounts = [_customer(number) for number in range(customers)]
    return accounts, Goods([one.pk for one in services], [one.pk for one in projects]), admin


class _Silence:
    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


def _customer(number: int) -> "Account":
    from django.conf import settings
    from django.test import Client

    from accounts.keys.api_keys import create_api_key
    from accounts.models import User
    from bench.load_test.customers import Account
    from upstream.money import MICROS
    from wallet.models import LedgerEntry
    from wallet.operations import credit

    user = User.objects.create_user(f"customer{number}@example.com")
    kind, reference = LedgerEntry.Kind.ADJUSTMENT, "credit:first money"
    credit(user=user, amount_micros=100_000 * MICROS, kind=kind, reference=reference, note="first money")
    _key, text = create_api_key(user=user, name="chaos")
    browser = Client()
    browser.force_login(user)
    return Account(user.pk, text, browser.cookies[settings.SESSION_COOKIE_NAME].value)


def _hang_up() -> None:
    """Close this process's connection: the database is about to be killed."""
    from django.db import connections

    connections.close_all()


def _audit(report: Report) -> None:
    from django.core.management import call_command

    told = io.StringIO()
    try:
        call_command("audit", stdout=told, stderr=told, no_color=True)
    except SystemExit as ending:
        report.problems.append(f"audit exits {ending.code}:\n{told.getvalue()}")


def _audit_apart(report: Report) -> None:
    """The same by the command itself, as its admin runs it."""
    done = subprocess.run(
        [sys.executable, "manage.py", "audit"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        report.problems.append(f"audit exits {done.returncode}:\n{done.stdout}{done.stderr}")
