"""The units of deploy/systemd, without systemd: what each would start runs, is well, and stops when it is told to."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from django.conf import settings
from django.core.management import get_commands

from storefront.background.one_beat import LEASE_KEY
from storefront.celery import app
from storefront.configuration.queues import IN_EVERY_QUEUE, QUEUES
from storefront.demo.processes import Child, Processes, free_port
from storefront.monitoring.health import silent_queues
from tests.storefront.configuration.test_settings import GOOD
from tests.storefront.settings_source import ROOT
from tests.workers import database_url, wait_for

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
STEPS = ("shop-migrate.service", "shop-backup.service")
running = pytest.mark.usefixtures("transactional_db")


def read(name: str) -> dict[str, list[str]]:
    """Return what a unit says of its service: each word with all its values."""
    section = (UNITS / name).read_text().split("[Service]\n")[1].split("\n[Install]")[0]
    said: dict[str, list[str]] = {}
    for line in section.splitlines():
        if line and not line.startswith("#"):
            word, _equals, value = line.partition("=")
            said.setdefault(word, []).append(value)
    return said


class Systemd:
    """Starts what a unit would start, in this folder, with its environment and a state folder of its own."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self._processes, self._folder = processes, folder
        self.port = free_port()
        for name in ("shop", "shop/api", "shop/exports", "shop/beat"):
            (folder / name).mkdir()

    def environment(self, name: str) -> dict[str, str]:
        """Return what the process would find: the unit's, and what an owner's file would hold."""
        own = dict(pair.split("=", 1) for line in read(name)["Environment"] for pair in line.split())
        here = {key: self._here(value) for key, value in own.items()}
        servers = {"DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL}
        return {**GOOD, "SITE_URL": f"http://127.0.0.1:{self.port}", **servers, **here}

    def command(self, name: str, instance: str = "") -> list[str]:
        """Return what the unit starts, with the programs of this machine."""
        (line,) = read(name)["ExecStart"]
        words = shlex.split(line.replace("%i", instance).replace("%%", "%"))
        programs = str(Path(sys.executable).parent)
        return [self._here(word.replace("/opt/shop/.venv/bin", programs)) for word in words]

    def start(self, name: str, instance: str = "", **environment: str) -> Child:
        """Start a unit."""
        return self._processes.start(
            name,
            self.command(name, instance),
            log=self._folder / f"{name}.log",
            environment={**self.environment(name), **environment},
            folder=ROOT,
        )

    def _here(self, value: str) -> str:
        here = {
            "/var/lib/shop": str(self._folder / "shop"),
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
        }
        for theirs, ours in here.items():
            value = value.replace(theirs, ours)
        return value


def stop(child: Child, name: str) -> int:
    """Stop a unit as systemd does; return the status it ends with. Raises TimeoutExpired where it does not stop."""
    said = read(name)
    child.process.send_signal(getattr(signal, said["KillSignal"][0]))
    return child.process.wait(min(int(said["TimeoutStopSec"][0]), 40))


@pytest.fixture
def systemd(tmp_path: Path, redis_server: redis.Redis) -> Iterator[Systemd]:
    with Processes() as processes:
        yield Systemd(processes, tmp_path)
        processes.kill()


@running
@pytest.mark.broker
def test_web_tells_systemd_when_it_is_ready_and_serves(systemd: Systemd, tmp_path: Path):
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "notify"))
    told.settimeout(60)

    child = systemd.start("shop-web.service", NOTIFY_SOCKET=str(tmp_path / "notify"))

    assert b"READY=1" in told.recv(1024)  # which Type=notify waits for
    wait_for(lambda: answers(f"http://127.0.0.1:{systemd.port}/health/ready"), "the shop can serve", seconds=60)
    assert stop(child, "shop-web.service") == 0


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=20).status_code == 200
    except requests.RequestException:
        return False


@running
@pytest.mark.broker
def test_worker_serves_the_queue_it_is_named_after(systemd: Systemd):
    for queue in QUEUES:
        app.send_task(IN_EVERY_QUEUE, kwargs={"queue": queue}, queue=queue)

    child = systemd.start("shop-worker@.service", "sync")

    wait_for(lambda: "sync" not in silent_queues(), "it has answered", seconds=60)
    assert silent_queues() == [name for name in QUEUES if name != "sync"]
    assert stop(child, "shop-worker@.service") == 0


@running
@pytest.mark.broker
def test_beat_sends_and_lets_go(systemd: Systemd, redis_server: redis.Redis):
    child = systemd.start("shop-beat.service")

    wait_for(lambda: redis_server.llen("numbers"), "it sends", seconds=60)
    assert redis_server.exists(LEASE_KEY)
    assert stop(child, "shop-beat.service") == 0
    assert not redis_server.exists(LEASE_KEY)


@running
def test_migrate_ends_well(systemd: Systemd):
    child = systemd.start("shop-migrate.service")

    assert child.process.wait(120) == 0, child.tail()


def test_backup_starts_the_command_that_makes_one(systemd: Systemd):
    assert systemd.command("shop-backup.service")[1:] == ["manage.py", "backup"]
    if "backup" not in get_commands():
        pytest.skip("this version has no manage.py backup")


def test_the_target_starts_a_worker_for_every_queue():
    wanted = re.findall(r"shop-worker@(\w+)\.service", (UNITS / "shop.target").read_text())

    assert wanted == list(QUEUES)


@pytest.mark.parametrize("name", SERVICES)
def test_no_unit_may_change_the_system_or_gain_rights(name: str):
    said = read(name)

    for word in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictSUIDSGID"):
        assert said[word] == ["yes"], word
    assert said["ProtectSystem"] == ["strict"]
    assert said["CapabilityBoundingSet"] == [""]
    assert said["User"] == ["shop"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in STEPS])
def test_what_runs_is_started_again_and_waited_for_longer_than_its_longest_call(name: str):
    said = read(name)

    assert said["Restart"] == ["always"]
    if name != "shop-beat.service":
        assert int(said["TimeoutStopSec"][0]) > 2 * settings.UPSTREAM_TIMEOUT_SECONDS
    if "worker" in name:
        assert int(said["TimeoutStopSec"][0]) > settings.UPSTREAM_SYNC_TIMEOUT_SECONDS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_every_unit_and_finds_it_closed(tmp_path: Path):
    names = []
    for path in UNITS.glob("shop*.*"):
        text = path.read_text().replace("/opt/shop/.venv/bin", str(Path(sys.executable).parent))
        instances = [f"@{queue}." for queue in QUEUES] if "@." in path.name else ["@."]
        for name in {path.name.replace("@.", instance) for instance in instances}:
            (tmp_path / name).write_text(text)
            names.append(name)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(str(tmp_path / name) for name in names)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager"]
        + [str(tmp_path / name) for name in names if name.endswith(".service")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposed.returncode == 0, exposed.stdout + exposed.stderr  # 2.0 of 10 at most
