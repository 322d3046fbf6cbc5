"""The stand-in upstream as a process: control, restarts, seeds, its end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from tests.upstream.sandbox_calls import COMMENTS, FOLLOWERS, LINK, Ask, asker, buy, first_project
from upstream.sandbox.process import ROOT, Sandbox, SandboxFailed


# --- Control -------------------------------------------------------------------------------------------------------
def test_requests_when_listed_hold_no_key(box: Sandbox, ask: Ask) -> None:
    buy(ask)
    ask("status", order=1)

    entries = box.requests

    assert [(entry["action"], entry["outcome"]) for entry in entries] == [("add", "ok"), ("status", "Order not found")]
    assert entries[0]["params"] == {"service": "1", "link": LINK, "quantity": "1000"}
    assert box.key not in json.dumps(entries)


def test_set_service_when_edited_shows_at_once_everywhere(box: Sandbox, ask: Ask) -> None:
    ask("services")
    box.set_service(FOLLOWERS, rate="not a price", stock=None, category="Elsewhere", subcategory="New")

    (row,) = ask("services", category="Elsewhere", subcategory="New")["services"]

    assert (row["service"], row["rate"], "stock" in row) == (FOLLOWERS, "not a price", False)
    assert ask("services")["services"][0] == row
    with pytest.raises(SandboxFailed, match="no such field: colour"):
        box.set_service(FOLLOWERS, colour="red")


def test_remove_service_when_restored_is_back_as_it_was(box: Sandbox, ask: Ask) -> None:
    before = ask("services")

    box.remove_service(COMMENTS)
    without = ask("services")
    refused = ask("inventory", service=COMMENTS)
    box.restore_service(COMMENTS)

    assert without["total"] == 59
    assert refused == {"error": "Service not found"}
    assert ask("services") == before


def test_add_service_when_added_can_be_ordered(box: Sandbox, ask: Ask) -> None:
    number = box.add_service(name="Fresh", rate="2.00", min=1, category="Email Accounts")

    assert number == 61
    assert ask("services")["services"][-1]["name"] == "Fresh"
    assert ask("status", order=buy(ask, number, 2))["charge"] == "4.00"


def test_set_order_when_values_are_odd_shows_them_as_given(box: Sandbox, ask: Ask) -> None:
    order = buy(ask)

    box.set_order(order, status="Processing", remains="-5", start_count=None, charge="free")

    status = ask("status", order=order)
    assert (status["status"], status["remains"], status["start_count"], status["charge"]) == (
        "Processing",
        "-5",
        None,
        "free",
    )
    assert box.books()["adds_up"] is True


# --- The process ---------------------------------------------------------------------------------------------------
def test_resume_when_killed_goes_on_with_everything_it_knew(tmp_path: Path) -> None:
    with Sandbox.start(services=30, seed=3, speed=0, state=tmp_path / "state.sqlite3") as sandbox:
        ask = asker(sandbox)
        order = buy(ask)
        number = ask("add_sms", project_id=first_project(ask))["orders"][0]
        sandbox.set_service(6, rate="9.99")
        added = sandbox.add_service(name="Added")
        sandbox.set(codeless_rate=0.5)
        catalog, url, books, orders = ask("services"), sandbox.url, sandbox.books(), sandbox.orders

        sandbox.halt(kill=True)
        with pytest.raises(requests.ConnectionError):
            ask("balance")
        sandbox.resume()

        assert sandbox.url == url
        assert (ask("services"), sandbox.books(), sandbox.orders) == (catalog, books, orders)
        assert ask("sms_status", order=number["order"])["phone"] == number["phone"]
        assert ask("inventory", service=added)["available"] is True
        assert sandbox.set()["codeless_rate"] == 0.5
        assert buy(ask) == order + 2


def test_start_when_seed_is_the_same_sells_the_same_in_any_process(box: Sandbox, ask: Ask) -> None:
    with Sandbox.start(services=60, seed=1) as twin, Sandbox.start(services=60, seed=2) as other:
        whole = ask("services")

        assert asker(twin)("services") == whole != asker(other)("services")
        assert asker(twin)("sms_projects") == ask("sms_projects") != asker(other)("sms_projects")


def test_reset_when_size_changes_sells_that_many(box: Sandbox, ask: Ask) -> None:
    box.reset(services=20_000)
    started = time.monotonic()

    whole = ask("services")

    assert time.monotonic() - started < 5
    assert whole["total"] == len(whole["services"]) == 20_000
    assert len(ask("categories")["categories"]) == 60
    types = {row["type"] for row in whole["services"]}
    assert types == {"Default", "Custom Comments", "Poll"}
    assert all(re.fullmatch(r"\d+\.\d{2,4}", row["rate"]) for row in whole["services"])
    extras = [row for row in whole["services"] if "entityType" in row]
    assert 0 < len(extras) < 20_000
    assert re.fullmatch(r"[0-9a-f]{24}", extras[0]["id"])
    with pytest.raises(SandboxFailed, match="not between"):
        box.reset(services=0)


@pytest.mark.parametrize("how", ["stop", "parent dies"])
def test_stop_when_the_owner_goes_the_process_and_its_files_go_too(how: str, tmp_path: Path) -> None:
    script = (
        "import sys; from upstream.sandbox.process import Sandbox;"
        "s = Sandbox.start(services=5); print(s.url, flush=True);"
        "sys.stdin.read() if sys.argv[1] == 'parent dies' else s.stop()"
    )
    command = [sys.executable, "-c", script, how]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline().split(":")[2].split("/")[0])
        if how == "parent dies":
            assert _listens(port)
            os.kill(owner.pid, signal.SIGKILL)
        owner.wait(20)

    deadline = time.monotonic() + 10
    while (_listens(port) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _listens(port)
    assert list(tmp_path.iterdir()) == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_module_when_started_by_hand_serves_and_removes_its_temporary_state(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "upstream.sandbox", "--port", "0", "--services", "1", "--seed", "7"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://\S+/api/v2", line)
        assert url is not None
        reply = requests.post(url[0], data={"key": "sandbox-key", "action": "services"}, timeout=5).json()
        held = list(tmp_path.iterdir())
        process.terminate()

        assert process.wait(10) == 0

    assert reply["total"] == 1
    assert held != []
    assert list(tmp_path.iterdir()) == []


def test_module_when_imported_needs_no_django() -> None:
    script = "import sys, upstream.sandbox.__main__, upstream.sandbox.process; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_client_when_made_by_the_handle_speaks_to_it(box: Sandbox) -> None:
    client = box.client(timeout_seconds=5)

    assert client.balance().balance == Decimal("1000.00")
    placed = client.add(service_id=FOLLOWERS, link=LINK, quantity=100)
    assert [str(order["id"]) for order in box.orders] == [placed.order_id]
    client.close()


def test_add_when_many_call_at_once_gives_each_an_id_of_its_own(box: Sandbox) -> None:
    box.set_service(FOLLOWERS, stock=None, min=1)
    placed: list[int] = []

    def call_some() -> None:
        ask = asker(box)
        placed.extend(buy(ask, quantity=10) for _ in range(5))

    threads = [threading.Thread(target=call_some) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(placed) == list(range(23501, 23701))
    books = box.books()
    assert (books["charges"], books["adds_up"]) == ("1.00", True)


# --- What a link says ----------------------------------------------------------------------------------------------
def test_links_when_allowed_to_tell_say_how_their_orders_end(box: Sandbox, ask: Ask) -> None:
    box.set(links_tell=True, canceled_rate=1, speed=1000)
    words = {"demo-done": "Completed", "demo-partial": "Partial", "demo-cancel": "Canceled"}
    orders = {word: ask("add", service=1, link=f"{LINK}/{word}", quantity=1000)["order"] for word in words}
    slow, wait = (
        ask("add", service=1, link=f"{LINK}/{word}", quantity=1000)["order"] for word in ("demo-slow", "demo-wait")
    )

    time.sleep(0.4)  # 400 s of the sandbox's

    assert {word: ask("status", order=order)["status"] for word, order in orders.items()} == words
    assert (ask("status", order=slow)["status"], ask("status", order=wait)["status"]) == ("In progress", "Pending")


def test_links_when_nobody_allowed_it_say_nothing(box: Sandbox, ask: Ask) -> None:
    box.set(canceled_rate=1, speed=1000)
    order = ask("add", service=1, link=f"{LINK}/demo-done", quantity=1000)["order"]

    time.sleep(0.1)

    assert ask("status", order=order)["status"] == "Canceled"


def test_setting_of_the_command_line_when_unknown_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "upstream.sandbox", "--port", "0", "--state", str(tmp_path / "state.sqlite3")]

    done = subprocess.run([*command, "--set=colour=1"], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (done.returncode, "colour" in done.stderr) == (1, True)
