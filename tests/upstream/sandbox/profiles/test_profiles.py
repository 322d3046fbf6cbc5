"""Profiles by name: how they are chosen, changed and combined; those that are a line long."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.upstream.sandbox_calls import GMAIL, Ask, asker, buy, first_project
from upstream.sandbox.process import ROOT, Sandbox, SandboxFailed
from upstream.sandbox.profiles import PROFILES


def test_start_when_profiles_are_named_has_them_until_a_reset_brings_them_back(tmp_path: Path) -> None:
    with Sandbox.start(services=10, speed=0, state=tmp_path / "state.sqlite3", profiles=("live", "cents")) as sandbox:
        assert sandbox.set()["profiles"] == ["live", "cents"]

        sandbox.set(profiles=["shared-ids"])
        sandbox.halt(kill=True)
        sandbox.resume()

        assert sandbox.set()["profiles"] == ["shared-ids"]
        sandbox.reset()
        assert sandbox.set()["profiles"] == []


def test_start_when_state_is_old_takes_the_profiles_that_are_named_now(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with Sandbox.start(services=10, state=state, profiles=("live",)):
        pass
    with Sandbox.start(services=10, state=state) as sandbox:
        assert sandbox.set()["profiles"] == ["live"]
    with Sandbox.start(services=10, state=state, profiles=("plain",)) as sandbox:
        assert sandbox.set()["profiles"] == []


def test_set_when_profile_is_unknown_is_refused_and_names_those_there_are(box: Sandbox) -> None:
    with pytest.raises(SandboxFailed, match="no such profile: polite; there are plain, live, hostile"):
        box.set(profiles=["live", "polite"])
    with pytest.raises(SandboxFailed, match="damage_kinds: no rust"):
        box.set(damage_kinds=["rust"])

    assert box.set()["profiles"] == []


def test_command_when_profile_is_unknown_says_so_and_its_help_tells_of_each() -> None:
    command = [sys.executable, "-m", "upstream.sandbox"]

    wrong = subprocess.run([*command, "--profile", "polite"], cwd=ROOT, capture_output=True, text=True, check=False)
    helped = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert wrong.returncode == 1
    assert wrong.stderr.startswith("sandbox: no such profile: polite")
    assert [name for name in PROFILES if f"\n  {name} " not in helped.stdout] == []


# --- cents ---------------------------------------------------------------------------------------------------------
def test_cents_when_amounts_are_finer_shows_them_rounded_and_keeps_them_exact(box: Sandbox, ask: Ask) -> None:
    box.set(profiles=["cents"])
    box.set_service(1, rate="0.1237")
    order = buy(ask, quantity=130)  # 0.016081
    number = ask("add_sms", project_id=first_project(ask))["orders"][0]["order"]

    assert ask("status", order=order)["charge"] == "0.02"
    assert ask("sms_status", order=number)["charge"] == "0.50"
    assert ask("balance")["balance"] == "999.48"
    assert ask("services", page=1, limit=1)["services"][0]["rate"] == "0.1237"
    books = box.books()
    assert (books["balance"], books["adds_up"]) == ("999.483919", True)


# --- shared-ids ----------------------------------------------------------------------------------------------------
def test_shared_ids_when_a_number_is_asked_about_as_an_order_answers(box: Sandbox, ask: Ask) -> None:
    number = ask("add_sms", project_id=first_project(ask))["orders"][0]["order"]
    before = ask("status", order=number)

    box.set(profiles=["shared-ids"])

    assert before == {"error": "Order not found"}
    assert ask("status", order=number)["status"] == "Pending"
    assert ask("sms_status", order=buy(ask)) == {"error": "Order not found"}


def test_profiles_when_combined_each_do_their_part() -> None:
    with Sandbox.start(services=60, speed=0, profiles=("live", "cents")) as sandbox:
        ask = asker(sandbox)
        sandbox.set_service(GMAIL, rate="0.333")
        order = ask("add", service=GMAIL, quantity=2, link="")["order"]
        sandbox.set_order(order, status="Completed")

        status = ask("status", order=order)

        assert status["charge"] == "0.67"
        assert len(status["accounts"]) == 2
