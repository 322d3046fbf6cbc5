"""Half a minute of `python -m bench.soak`: everything comes, dies and is looked at; the half hour is by hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from bench.load_test.layout import by_queue
from tests.storefront.settings_source import ROOT

pytestmark = [
    pytest.mark.broker,
    pytest.mark.long,
    pytest.mark.xdist_group("chaos"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it kills a PostgreSQL of its own"),
]
# What another run of the tests beside this one can be the cause of.
OF_THE_MACHINE = ("pages took", "an order to be sent waits", "a question to be asked waits", "a mail waits")


def test_soak_when_it_lasts_half_a_minute_kills_redeploys_and_looks_at_everything(tmp_path: Path):
    command = [sys.executable, "-m", "bench.soak", "--minutes", "0.5", "--folder", str(tmp_path / "soak")]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)

    said = run.stdout
    problems = [line for line in said.splitlines() if line.startswith("✗ ")]
    assert [one for one in problems if not one.removeprefix("✗ ").startswith(OF_THE_MACHINE)] == [], said + run.stderr
    assert run.returncode == (1 if problems else 0), said + run.stderr
    workers = [worker.name for worker in by_queue()]
    killed = re.search(r"^killed: (.*)$", said, re.MULTILINE)[1]
    assert {each.rpartition(" ")[0] for each in killed.split(", ")} == {"PostgreSQL", "Valkey", "beat", "web", *workers}
    stopped = re.search(r"^stopped at the redeploy within: (.*)$", said, re.MULTILINE)[1]
    assert [each.split()[0] for each in stopped.split(", ")] == ["web", *workers, "beat"]
    assert "lost 0, doubled 0" in said
    for row in ("pages of the shop", "calls of the API", "the admin", "an order to be sent", "a webhook"):
        assert re.search(rf"^\| {row} \| [\d,.]+", said, re.MULTILINE), said
