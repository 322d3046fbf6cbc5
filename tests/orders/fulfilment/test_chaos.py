"""The whole shop under fire; `python -m bench.chaos` does the same for as long as one likes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from bench.load_test.faults import every_fault
from tests.storefront.settings_source import ROOT

# Once, on PostgreSQL, whose server is killed as well; by hand it runs on SQLite too.
pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("chaos")]

SECONDS, LONG_SECONDS = 15, 240
MORTALS = {"Valkey", "beat", "worker 1", "worker 2", "web", "sandbox"}


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(LONG_SECONDS, marks=pytest.mark.long)])
def test_load_test_with_faults_when_everything_fails_and_dies_loses_and_doubles_nothing(tmp_path: Path, seconds: int):
    """On a database of its own, of the kind this run is about: a PostgreSQL is killed too, SQLite has no server."""
    sqlite = connection.vendor == "sqlite"
    found = tmp_path / "report.json"
    command = [sys.executable, "-m", "bench.chaos", "--minutes", str(seconds / 60), "--workers", "2"]
    command += ["--json", str(found), *(["--sqlite"] if sqlite else [])]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 600, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(found.read_text())
    assert (report["duplicates"], report["lost"], report["problems"]) == (0, 0, [])
    # It did blow: the run is worth nothing if nothing went wrong.
    assert report["kills"].keys() == MORTALS | (set() if sqlite else {"PostgreSQL"})
    assert report["faults"].keys() == {name for name, _rate, _options in every_fault()}
    assert report["orders"] > 50
    # Two were lost in calm: one is found by itself, one is a number and was refunded.
    assert report["adopted"] >= 1
    assert report["losses"] >= 1
