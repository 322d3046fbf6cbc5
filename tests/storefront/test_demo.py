"""The demo as a person starts it, on a small catalog: `manage.py demo` in a process of its own."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from storefront.demo.processes import free_port
from tests.storefront.demo_newcomer import check_a_newcomer_pays_orders_and_replaces_a_number
from tests.storefront.settings_source import ROOT
from tests.workers import wait_for

pytestmark = pytest.mark.sqlite_alone  # so is the database that a demo brings along

# A bare shell: nothing of the suite's environment, no .env.
SHELL = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "SMS_REPLACE_AFTER_SECONDS": "4"}
# What nobody should find empty: a table, and how many rows there are at least.
LIVED_IN = {
    "SELECT count(*) FROM orders_order WHERE kind = 'service'": 1300,
    "SELECT count(*) FROM orders_order WHERE kind = 'number'": 300,
    "SELECT count(*) FROM (SELECT 1 FROM orders_order WHERE status IN ('completed', 'partial', 'canceled', 'failed')"
    " GROUP BY service_id HAVING count(*) >= 30)": 40,
    "SELECT count(*) FROM orders_order o JOIN accounts_user u ON u.id = o.user_id"
    " WHERE u.email = 'customer@example.com' AND kind = 'service'": 25,
    "SELECT count(DISTINCT status) FROM orders_order o JOIN accounts_user u ON u.id = o.user_id"
    " WHERE u.email = 'customer@example.com'": 6,
    "SELECT count(*) FROM sms_number n JOIN orders_order o ON o.id = n.order_id JOIN accounts_user u"
    " ON u.id = o.user_id WHERE u.email = 'customer@example.com'": 8,
    "SELECT count(DISTINCT date(created_at)) FROM orders_order": 30,
    "SELECT count(*) FROM sms_successrate WHERE observed >= 20": 12,
    "SELECT count(*) FROM catalog_service WHERE bought_lately > 0": 40,
    "SELECT count(*) FROM wallet_topup WHERE status = 'paid'": 50,
    "SELECT count(*) FROM wallet_receipt": 50,
    "SELECT count(*) FROM orders_deliveredgoods": 200,
    "SELECT count(*) FROM orders_couponuse": 3,
    "SELECT count(*) FROM orders_referralearning WHERE state = 'credited'": 1,
    "SELECT count(*) FROM orders_servicerequest": 1,
    "SELECT count(*) FROM catalog_favorite": 6,
    "SELECT count(*) FROM catalog_stockalert": 1,
    "SELECT count(*) FROM accounts_apikeyspending": 10,
    "SELECT count(*) FROM notifications_notice WHERE sent_at IS NOT NULL AND user_id IS NOT NULL": 15,
}
GIVEN = "SELECT amount_micros FROM wallet_ledgerentry WHERE kind = 'adjustment'"


class Demo:
    """A running demo: what it printed, and the processes that belong to it."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self.output = folder.parent / f"output-{time.monotonic_ns()}.txt"
        command = [sys.executable, "manage.py", "demo", "--services", "150"]
        command += ["--folder", str(folder), "--port", str(self.port)]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=SHELL, stdout=output, stderr=subprocess.STDOUT)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while f"{self.url}  customer:" not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def programs(self) -> dict[str, int]:
        """Return the processes that write into the demo's logs, by log."""
        found = {}
        for descriptor in Path("/proc").glob("[0-9]*/fd/1"):
            with contextlib.suppress(OSError):
                target = descriptor.readlink()
                if target.parent == self.folder / "log":
                    found[target.stem] = int(descriptor.parts[2])
        return found

    def wait_until_alone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.programs():
            assert time.monotonic() < deadline, self.programs()
            time.sleep(0.1)

    @property
    def environment(self) -> dict[str, str]:
        """What its programs run with, its own supplier and Redis among it."""
        pairs = Path(f"/proc/{self.programs()['web']}/environ").read_bytes().decode().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def audit(self) -> str:
        """Return what `manage.py audit --all` prints of this shop's books."""
        command = [sys.executable, "manage.py", "audit", "--all"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr[-2000:]

    def rows(self, query: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(self.folder / "shop.sqlite3")) as database:
            return database.execute(query).fetchall()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture
def demo(folder) -> Iterator[Demo]:
    running = Demo(folder)
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGTERM)


def sign_in(demo: Demo, email: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{demo.url}accounts/login/", timeout=20)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    fields = {"login": email, "password": "demo-password", "csrfmiddlewaretoken": token}
    answer = session.post(page.url, data=fields, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text
    return session


def check_it_serves_a_whole_shop(demo: Demo) -> None:
    page = requests.get(demo.url, timeout=20)
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)[1]
    assert requests.get(demo.url + style[1:], timeout=20).status_code == 200
    account = sign_in(demo, "customer@example.com").get(f"{demo.url}account/", timeout=20)
    assert "customer@example.com" in account.text
    orders = sign_in(demo, "admin@example.com").get(f"{demo.url}admin/orders/order/", timeout=20)
    assert (orders.status_code, orders.url) == (200, f"{demo.url}admin/orders/order/")


# A start takes seconds, so each is used for more than one thing; each goes on where the one before has left off.
@pytest.mark.xdist_group("demo")
class TestDemo:
    def test_first_start_when_nothing_is_there_serves_a_whole_shop_until_ctrl_c(self, demo):
        demo.wait_until_ready()

        last_line = demo.text.strip().splitlines()[-1]
        for part in (demo.url, "customer@example.com", "admin@example.com", "demo-password"):
            assert part in last_line
        assert demo.rows("SELECT count(*) FROM catalog_service") == [(150,)]
        # The supplier is one as owners meet it: some websites come at several prices in one country.
        assert "profile: live" in demo.text
        several = "SELECT 1 FROM sms_project GROUP BY site_id, country_id HAVING count(*) > 1 LIMIT 1"
        assert demo.rows(several) == [(1,)]
        check_it_serves_a_whole_shop(demo)
        found = {query: demo.rows(query)[0][0] for query in LIVED_IN}
        assert {query: rows for query, rows in found.items() if rows < LIVED_IN[query]} == {}
        check_a_newcomer_pays_orders_and_replaces_a_number(
            demo.url, demo.environment["UPSTREAM_URL"].replace("api/v2", "control/")
        )
        said = demo.audit()
        assert "the books add up" in said, said
        assert re.search(r"upstream: unexplained +0.00 USD", said), said
        assert demo.stop(signal.SIGINT) == 0
        assert re.findall(r"^  (\w+)$", demo.text, flags=re.MULTILINE) == ["beat", "worker", "web", "sandbox", "Valkey"]
        assert demo.programs() == {}

    def test_second_start_keeps_its_data_refuses_a_twin_and_ends_when_a_program_dies(self, demo):
        services = demo.rows("SELECT id, upstream_id FROM catalog_service")
        before = demo.rows("SELECT count(*) FROM orders_checkout") + demo.rows(GIVEN)

        demo.wait_until_ready()

        # What makes it fast, rather than how fast it was on a machine that runs other tests at the same time.
        assert "Asking for the catalog" not in demo.text
        assert "SMS projects:" not in demo.text
        assert demo.rows("SELECT id, upstream_id FROM catalog_service") == services
        assert demo.rows("SELECT count(*) FROM orders_checkout") + demo.rows(GIVEN) == before
        assert before[1:] == [(500_000_000,)]

        twin = Demo(demo.folder)
        neighbour = Demo(demo.folder.parent / "other", port=demo.port)

        assert twin.process.wait(60) != 0
        assert "A demo is already running" in twin.text
        assert neighbour.process.wait(60) != 0
        assert f"Port {demo.port} is taken. Choose another one: make demo PORT=" in neighbour.text
        assert neighbour.programs() == {}

        os.kill(demo.programs()["worker"], signal.SIGKILL)

        assert demo.process.wait(60) != 0
        assert "worker ended with status -9" in demo.text
        assert demo.programs() == {}

    def test_demo_when_it_is_killed_leaves_nothing_running(self, demo):
        demo.wait_until_ready()
        # A look at the list of processes while others come and go may miss one.
        wait_for(lambda: set(demo.programs()) == {"web", "worker", "beat", "sandbox", "valkey"}, "all of them run")

        demo.stop(signal.SIGKILL)

        demo.wait_until_alone(20)

    @pytest.mark.parametrize(
        "change",
        [
            "INSERT INTO django_migrations (app, name, applied) VALUES ('orders', '0007_gone', '2026-01-01')",
            "DELETE FROM django_migrations WHERE app = 'accounts'",
            "ALTER TABLE wallet_wallet RENAME COLUMN balance_micros TO balance",
            "DROP TABLE notifications_notice",
        ],
    )
    def test_start_on_the_data_of_another_version_says_how_to_begin_anew(self, folder, tmp_path, change):
        # The first start's database, as the tests before this one have left it.
        older = tmp_path / "older"
        older.mkdir()
        with contextlib.closing(sqlite3.connect(folder / "shop.sqlite3")) as database:
            database.execute("VACUUM INTO ?", [str(older / "shop.sqlite3")])
        with contextlib.closing(sqlite3.connect(older / "shop.sqlite3")) as database, database:
            database.execute(change)
            before = list(database.iterdump())

        demo = Demo(older)

        assert demo.process.wait(60) == 1
        assert "was made by another version of the shop" in demo.text
        assert re.search(r"^    rm -r \S*older\n    make demo$", demo.text, flags=re.MULTILINE)
        assert demo.programs() == {}
        with contextlib.closing(sqlite3.connect(older / "shop.sqlite3")) as database:
            assert list(database.iterdump()) == before
