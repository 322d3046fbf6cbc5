"""Half an hour of everything, and whether the shop is the same afterwards: `python -m bench.soak`.

Shoppers, resellers, the owner and codes come at a steady rate well below the ceiling, while calls upstream fail at a
low rate. In the first half processes are killed, in the middle all of web and workers are stopped gracefully and
started anew, one after another; then nobody dies any more, so that what grows is seen to grow. Web, workers by queue
and beat run as docker-compose.yml starts them. Exits 1 when an aim is missed.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.load_test.layout import by_queue
from bench.load_test.run import Plan, Props, carry_out
from bench.load_test.stage import SHORT_TIMES, Stage
from bench.stage import machine

if TYPE_CHECKING:
    from bench.load_test.customers import Asked
    from bench.load_test.samples import Sample

LOOK_SECONDS = 10.0
CALM_AFTER_SECONDS = 10.0  # so long after a killed process is back, its absence may still show
SHARE_OF_FAULTS = 0.1  # of the rates of bench.chaos
KILL_EVERY_SECONDS = 60.0
AIM_PAGE_MS, AIM_GROWTH, AIM_WAITING_SECONDS, SPARE_CONNECTIONS = 300.0, 0.10, 5.0, 2
SHORTEST_JUDGED_SECONDS = 180.0  # before that processes still load what they need
UNLIMITED = "1000000000"
SETTINGS = {
    **SHORT_TIMES,
    "ADMIN_EMAILS": "owner@example.com",  # without any, mails for them would wait for ever
    "WEBHOOK_ALLOW_HTTP": "true",
    "WEBHOOK_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8",
    "API_CALLS_PER_MINUTE": UNLIMITED,
    "API_CALLS_PER_MINUTE_PER_ADDRESS": UNLIMITED,
}


@dataclass
class Day:
    """What happened and when, by time.monotonic."""

    began: float = 0.0
    redeployed: float = 0.0
    ended: float = 0.0
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    stops: dict[str, float] = field(default_factory=dict)  # at the redeploy: how long each took to stop
    samples: "list[Sample]" = field(default_factory=list)
    asked: "list[Asked]" = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    webhooks: int = 0

    @contextlib.contextmanager
    def disturbance(self) -> Iterator[None]:
        """Note that something is done to the shop meanwhile."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.disturbed.append((began, time.monotonic() + CALM_AFTER_SECONDS))

    def is_calm(self, one: "Asked") -> bool:
        """Whether nothing was done to the shop while this was asked and answered."""
        return not any(one.at < until and one.at + one.seconds > began for began, until in self.disturbed)


class Weather:
    """Everything that comes and goes while customers order."""

    def __init__(self, plan: Plan, stage: Stage, day: Day, log: Callable[[str], None], rates: dict[str, float]) -> None:
        self._plan, self._stage, self._day, self._log, self._rates = plan, stage, day, log, rates
        self._dice = random.Random(f"soak:{plan.seed}")

    def __call__(self, props: Props) -> None:
        """Let it all happen; returns when the time is over."""
        from django.db import connections

        from bench.load_test.samples import Sampler
        from bench.load_test.visitors import Receiver, Visitors

        day, visitors = self._day, Visitors(self._stage.site, props.crowd.asked)
        sampler = Sampler(self._stage, min(LOOK_SECONDS, self._plan.seconds / 40))
        with Receiver() as receiver:
            hear_of_changes(props, receiver.url)
            self._stage.await_workers()
            self._let_come(visitors, props)
            connections.close_all()  # the database is about to be killed
            self._begin_faults()
            day.began = time.monotonic()
            sampler.start()
            try:
                self._first_half()
                self._redeploy()
                self._calm_half()
            finally:
                day.ended = time.monotonic()
                sampler.stop()
                visitors.leave()
                self._stage.set_faults([])
        day.samples, day.asked, day.webhooks = sampler.samples, list(props.crowd.asked), receiver.taken
        day.crashes = visitors.crashes

    def _let_come(self, visitors: Any, props: Props) -> None:
        from bench.load_test.visitors import owner, reseller, shopper
        from catalog.models import Category, Service

        bought = Category.objects.filter(pk__in=Service.objects.on_sale().values("category"))
        categories = list(bought.values_list("pk", flat=True))
        sessions = ["", "", *(account.session_key for account in props.accounts[:4])]
        purchases = props.crowd.purchases
        visitors.come(
            "page", [shopper(props.goods, categories, one) for one in sessions], per_second=self._rates["pages"]
        )
        visitors.come(
            "api", [reseller(one, purchases) for one in props.accounts[:4]], per_second=self._rates["questions"]
        )
        visitors.come("admin", [owner(session_of(props.admin), purchases)], per_second=self._rates["admin"])

    def _begin_faults(self) -> None:
        from bench.load_test.faults import every_fault

        rare = [(name, SHARE_OF_FAULTS * rate, options) for name, rate, options in every_fault()]
        self._stage.set_faults(rare, each_at_once=False)

    def _first_half(self) -> None:
        """Kill each at least once, PostgreSQL once."""
        half = self._day.began + self._plan.seconds / 2
        victims = [name for name in self._stage.killable if name != "sandbox"]
        again = [name for name in victims if name != "PostgreSQL"]
        more = max(int(self._plan.seconds / 2 / KILL_EVERY_SECONDS) - len(victims), 0)
        victims += self._dice.choices(again, k=more)
        self._dice.shuffle(victims)
        pause = self._plan.seconds / 2 / (len(victims) + 1)
        for number, victim in enumerate(victims):
            self._rest(self._day.began + (number + 1) * pause)
            self._log(f"killing {victim}")
            with self._day.disturbance():
                revive = self._stage.kill(victim)
                time.sleep(1.0)
                revive()
        self._rest(half)

    def _redeploy(self) -> None:
        for name in self._stage.redeployable:
            self._log(f"stopping and starting {name}")
            with self._day.disturbance():
                self._day.stops[name] = self._stage.stop_and_start(name)
        with self._day.disturbance():
            self._stage.await_workers()
        self._day.redeployed = time.monotonic()

    def _calm_half(self) -> None:
        self._rest(self._day.redeployed + self._plan.seconds / 2)

    def _rest(self, until: float) -> None:
        """Wait, and start again what ended by itself meanwhile."""
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            self._stage.start_what_ended()


def hear_of_changes(props: Props, url: str) -> None:
    """Give half of the customers a webhook."""
    from accounts.models import User
    from api.webhooks.operations import add_webhook

    for account in props.accounts[::2]:
        add_webhook(user=User.objects.get(pk=account.user_id), url=url)


def session_of(admin: Any) -> str:
    """Sign the owner in, second factor and all, and return the session's key."""
    from django.conf import settings
    from django.contrib.auth.signals import user_logged_in
    from django.test import Client

    from tests.conftest import confirmed_a_moment_ago

    user_logged_in.connect(confirmed_a_moment_ago)
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(admin)
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def run(arguments: argparse.Namespace) -> int:
    """Let the time pass, print what was seen, and return the exit status."""
    began = time.monotonic()

    def log(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    plan = Plan(seconds=60 * arguments.minutes, seed=arguments.seed, per_second=arguments.orders)
    rates = {"pages": arguments.pages, "questions": arguments.questions, "admin": arguments.admin}
    day = Day()
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with Stage(folder, workers=by_queue(), environment=SETTINGS, seed=plan.seed) as stage:
            report = carry_out(plan, stage, log, Weather(plan, stage, day, log, rates))
            report.kills, report.gave_up = dict(stage.kills), dict(stage.gave_up)
            report.faults = dict(stage.faults())
    report.problems += day.crashes
    from bench.load_test.soaked import missed, tables

    print(f"\n{arguments.minutes:g} minutes; a second {arguments.orders:g} orders, {arguments.pages:g} pages,", end=" ")
    print(f"{arguments.questions:g} questions of programs, {arguments.admin:g} pages of the admin; {machine()}")
    print("\n".join(tables(day, report)))
    problems = [*missed(day), *report.problems]
    for problem in problems:
        print(f"✗ {problem}")
    if not problems:
        print("✓ the shop is as it was, and nothing was lost or doubled")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long customers come (30)")
    parser.add_argument("--seed", type=int, default=1, help="of the dice: victims, faults, customers (1)")
    parser.add_argument("--orders", type=float, default=3.0, help="orders a second, numbers among them (3)")
    parser.add_argument("--pages", type=float, default=6.0, help="pages a second that shoppers look at (6)")
    parser.add_argument("--questions", type=float, default=3.0, help="calls a second of the API besides (3)")
    parser.add_argument("--admin", type=float, default=0.3, help="pages a second that the owner looks at (0.3)")
    parser.add_argument("--folder", type=Path, help="keep logs and data in this folder, to look at afterwards")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
