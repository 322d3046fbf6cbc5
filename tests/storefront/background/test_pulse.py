"""Worker and beat touch a file while they turn; one that hangs ends, so that it is started again."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings

from storefront.celery import app
from storefront.configuration.queues import IN_EVERY_QUEUE, QUEUES
from storefront.monitoring.health import silent_queues
from tests.storefront.settings_source import ROOT
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]
# A worker whose main loop hangs two seconds after its start, and is given two.
HANGING_WORKER = """
import time
from celery import bootsteps
from storefront.background import pulse
from storefront.celery import app

pulse.HANGS_AFTER_SECONDS = 2.0

class Hang(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Timer"}
    def start(self, parent):
        def hang_here():
            time.sleep(600)
        parent.timer.call_after(2, hang_here)

app.steps["worker"].add(Hang)
app.worker_main(["worker", "--pool", "threads", "--concurrency", "1", "--loglevel", "INFO"])
"""
HANGING_BEAT = """
import time
from storefront.background import pulse
from storefront.background.one_beat import OneBeat
from storefront.celery import app

pulse.HANGS_AFTER_SECONDS = 2.0

class Hanging(OneBeat):
    def apply_entry(self, *args, **kwargs):
        time.sleep(600)

app.Beat(scheduler_cls=Hanging, schedule_filename="/proc/self/cwd/schedule", loglevel="INFO").run()
"""


@pytest.fixture
def workers(tmp_path: Path, transactional_db: None, redis_server: redis.Redis) -> Iterator[Workers]:
    with WarmProcesses() as processes:
        yield Workers(processes, tmp_path)
        processes.kill()


@pytest.mark.parametrize("program", ["worker", "beat"])
def test_a_program_that_runs_touches_its_file_again_and_again(workers: Workers, tmp_path: Path, program: str):
    file = tmp_path / "pulse"

    getattr(workers, program)(program, PULSE_FILE=str(file))

    wait_for(file.exists, "its first beat")
    first = file.stat().st_mtime
    wait_for(lambda: file.stat().st_mtime > first, "its next one", seconds=20)


@pytest.mark.parametrize("program", [HANGING_WORKER, HANGING_BEAT], ids=["worker", "beat"])
def test_a_program_that_hangs_ends_and_says_where(workers: Workers, tmp_path: Path, program: str):
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**workers.environment, "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert "Timeout (0:00:02)!" in ended.stderr
    assert "apply_entry" in ended.stderr or "hang_here" in ended.stderr


def test_a_worker_whose_broker_is_away_waits_for_it_and_goes_on(workers: Workers, tmp_path: Path, redis_server):
    program = HANGING_WORKER.replace('app.steps["worker"].add(Hang)', "")
    log = (tmp_path / "log").open("wb")
    environment = {**workers.environment, "PYTHONPATH": str(ROOT), "REDIS_URL": "redis://127.0.0.1:9/0"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=log, stdout=log) as child:
        try:
            wait_for(lambda: "Cannot connect to" in (tmp_path / "log").read_text(), "it looks for the broker")
            time.sleep(4)  # twice as long as its main loop may be silent
            assert child.poll() is None
        finally:
            child.kill()


def test_a_worker_serves_while_it_has_a_pulse(workers: Workers):
    workers.worker()
    for queue in QUEUES:
        app.send_task(IN_EVERY_QUEUE, kwargs={"queue": queue}, queue=queue)

    wait_for(lambda: not silent_queues(), "all were served")
    assert settings.PULSE_FILE == ""  # and no file is needed for it
