"""The shop as it runs in production, each part a process of its own that can be killed and comes back."""

import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from bench.load_test.layout import Worker, grace_seconds
from storefront.demo.plan import ROOT
from storefront.demo.processes import Child, Processes, free_port
from storefront.demo.valkey import start_valkey
from tests.provision.postgres import Postgres
from upstream.sandbox.process import Sandbox

READY_SECONDS = 120.0
SPEED = 40.0  # of the sandbox: services are finished within five seconds
NUMBER_LIFETIME_SECONDS = 8
# Everything waits much shorter than in production, but in the same proportions: time-out < claim < settling time.
SHORT_TIMES = {
    "UPSTREAM_TIMEOUT_SECONDS": "2",
    "ORDERS_CLAIM_SECONDS": "5",
    "SETTLE_SECONDS": "8",
    "ORDERS_WAKE_SECONDS": "1",
    "ORDERS_POLL_MIN_SECONDS": "1",
    "ORDERS_POLL_MAX_SECONDS": "3",
    "ORDERS_POLL_RETRY_SECONDS": "1",
    "ORDERS_POLL_CLAIM_SECONDS": "8",
    "SMS_POLL_SECONDS": "1",
    "SMS_GRACE_SECONDS": "2",
    "SMS_LIFETIME_SECONDS": "20",
    "HEARTBEAT_EVERY_SECONDS": "1",
    "FORWARD_ORDERS_EVERY_SECONDS": "1",
    "RELEASE_CLAIMS_EVERY_SECONDS": "1",
    "POLL_ORDERS_EVERY_SECONDS": "1",
    "POLL_NUMBERS_EVERY_SECONDS": "1",
    "RECONCILE_EVERY_SECONDS": "1",
    "RESUME_FORWARDING_EVERY_SECONDS": "1",
    "CHECK_BALANCE_EVERY_SECONDS": "2",
    "PROBE_FOREIGN_IDS_EVERY_SECONDS": "3",
    # What a lost order can have cost is certain once the next sync has been applied.
    "SYNC_CATALOG_EVERY_SECONDS": "10",
    "SYNC_SMS_EVERY_SECONDS": "10",
}


class Stage:
    """Valkey, database, sandbox, and after `open_shop` web, workers and beat; a context manager.

    Its environment becomes this process's own, so that Django here reads the same database; `environment` changes
    settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: Sequence[Worker],
        environment: Mapping[str, str] = SHORT_TIMES,
        sqlite: bool = False,
        seed: int = 1,
        postgres_options: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.kills: Counter[str] = Counter()
        self.gave_up: Counter[str] = Counter()
        self._workers = {worker.name: worker for worker in workers}
        self._environment = environment
        self._sqlite, self._seed = sqlite, seed
        self._postgres_options = postgres_options or {}
        self._processes = Processes()
        self._children: dict[str, Child] = {}
        self._starts: Counter[str] = Counter()
        self._faults: list[tuple[str, float, dict[str, Any]]] = []
        self._struck: Counter[str] = Counter()
        self._postgres: Postgres | None = None
        self._web_port = free_port()
        self.site = f"http://127.0.0.1:{self._web_port}"
        self.sandbox: Sandbox

    def __enter__(self) -> Self:
        try:
            self._start_servers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop everything that runs."""
        self._processes.stop()
        if hasattr(self, "sandbox"):
            self.sandbox.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def _start_servers(self) -> None:
        self._children["Valkey"], redis_url = start_valkey(self._processes, self.folder)
        database_url = f"sqlite:///{self.folder / 'shop.sqlite3'}"
        if not self._sqlite:
            self._postgres = Postgres(durable=True, options=self._postgres_options).__enter__()
            database_url = self._postgres.url
        self.sandbox = Sandbox.start(services=20, seed=self._seed, speed=SPEED, state=self.folder / "sandbox.sqlite3")
        os.environ.update(
            DJANGO_SETTINGS_MODULE="storefront.settings",
            DOTENV=os.devnull,
            DEBUG="false",
            SECRET_KEY=secrets.token_urlsafe(48),
            FIELD_ENCRYPTION_KEYS=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            ALLOWED_HOSTS="127.0.0.1",
            SITE_URL=self.site,
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            UPSTREAM_URL=self.sandbox.url,
            UPSTREAM_KEY=self.sandbox.key,
            UPSTREAM_MAX_PER_SECOND="200",
            UPSTREAM_MAX_IN_FLIGHT="16",
            RECONCILE_MAX_WINDOW="1000",
            AUDIT_TOLERANCE="0",
            EMAIL_URL="dummymail://",
            STATIC_ROOT=str(self.folder / "static"),
            WEB_CONCURRENCY="2",
            PYTHONPYCACHEPREFIX=str(self.folder / "bytecode"),
        )
        # This process compiles for all that start after it: else each start would take as long as the first.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.pycache_prefix, sys.dont_write_bytecode = os.environ["PYTHONPYCACHEPREFIX"], False
        os.environ.update(self._environment)

    # --- Web, workers, beat ------------------------------------------------------------------------------------------
    def open_shop(self, *, without: Sequence[str] = ()) -> None:
        """Start web, workers and beat on a prepared database, and return when the shop answers.

        The workers named in `without` are left to `start`.
        """
        for name in ("web", *(name for name in self._workers if name not in without), "beat"):
            self.start(name)
        self._await_web()

    def start(self, name: str) -> None:
        """Start one of the shop's processes."""
        celery = [sys.executable, "-m", "celery"]
        environment = dict(os.environ)
        if name == "web":
            address = f"127.0.0.1:{self._web_port}"
            command = [sys.executable, "-m", "gunicorn", "storefront.wsgi", "--bind", address]
        elif name == "beat":
            command = [*celery, "-A", "storefront", "beat", "--schedule", str(self.folder / "beat")]
            command += ["--loglevel", "WARNING"]
        else:
            worker = self._workers[name]
            command = [*celery, *worker.arguments]
            environment.update(worker.environment)
        self._starts[name] += 1
        log = self.folder / f"{name.replace(' ', '-')}.{self._starts[name]}.log"
        self._children[name] = self._processes.start(
            name, command, log=log, environment=environment, folder=ROOT, stop_signal=signal.SIGKILL
        )

    def _await_web(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(f"{self.site}/health/ready"):
            if time.monotonic() > deadline or self._children["web"].process.poll() is not None:
                raise RuntimeError(f"the web does not answer:\n{self._children['web'].tail(40)}")
            time.sleep(0.1)

    def await_workers(self) -> None:
        """Return when every worker that was started takes messages. Raises RuntimeError after a minute."""
        from storefront.celery import app  # it reads the settings

        deadline = time.monotonic() + READY_SECONDS
        expected = sum(name in self._children for name in self._workers)
        answered: list[Any] = []
        while len(answered) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(answered)} of {expected} workers answer")
            with app.connection() as broker:  # those of Celery's pool may be of a Valkey that was killed
                answered = app.control.ping(timeout=1.0, connection=broker)

    def start_what_ended(self) -> None:
        """Start workers and beat again that ended by themselves, as docker-compose.yml does.

        A worker that connects while Valkey is being killed may give up for good.
        """
        for name in (*self._workers, "beat"):
            child = self._children[name]
            if child.process.poll() is not None:
                self.gave_up[name] += 1
                self._processes.forget(child)
                self.start(name)

    @property
    def parts(self) -> dict[str, int]:
        """The process ids of what runs, by name: each stands for itself and all its children."""
        pids = {name: child.process.pid for name, child in self._children.items()}
        if self._postgres is not None:
            pids["PostgreSQL"] = self._postgres.pid
        return {**pids, "sandbox": self.sandbox.pid}

    def stop_and_start(self, name: str) -> float:
        """Stop web, a worker or beat as compose does at a deploy, start it anew; return the seconds it took to stop.

        Returns once the web answers again. Raises RuntimeError for what outlasts its grace period.
        """
        child, began = self._children[name], time.monotonic()
        child.process.terminate()
        try:
            child.process.wait(grace_seconds(name))
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{name} did not stop within its grace period:\n{child.tail(40)}") from None
        seconds = time.monotonic() - began
        self._processes.forget(child)
        self.start(name)
        if name == "web":
            self._await_web()
        return seconds

    # --- Killing -----------------------------------------------------------------------------------------------------
    @property
    def killable(self) -> list[str]:
        """The names of what can be killed."""
        database = [] if self._sqlite else ["PostgreSQL"]
        return [*self._workers, "beat", "web", "Valkey", *database, "sandbox"]

    @property
    def redeployable(self) -> list[str]:
        """The names of what a new version replaces, in the order of docker-compose.yml."""
        return ["web", *self._workers, "beat"]

    def kill(self, name: str) -> Callable[[], None]:
        """End a process with SIGKILL and return what brings it back. Of the web one process of two is hit."""
        self.kills[name] += 1
        if name == "web":
            children = _children_of(self._children["web"].process.pid)
            if children:
                os.kill(children[0], signal.SIGKILL)
            return lambda: None  # its master starts another one
        if name == "sandbox":
            self._note_faults()
            self.sandbox.halt(kill=True)
            return self._resume_sandbox
        if name == "PostgreSQL":
            assert self._postgres is not None
            self._postgres.kill()
            return self._postgres.start_again
        child = self._children[name]
        child.process.kill()
        child.process.wait()
        self._processes.forget(child)
        return self._restart_valkey if name == "Valkey" else lambda: self.start(name)

    def _restart_valkey(self) -> None:
        port = urlsplit(os.environ["REDIS_URL"]).port or 0
        self._children["Valkey"], _url = start_valkey(self._processes, self.folder, port=port)

    # --- Faults ------------------------------------------------------------------------------------------------------
    def set_faults(self, faults: list[tuple[str, float, dict[str, Any]]], *, each_at_once: bool = True) -> None:
        """Let these faults (name, rate, options) strike from now on; an empty list clears them all.

        With `each_at_once` one that has not struck yet does so at the next call, however short the test is.
        """
        self._faults = faults
        self.sandbox.clear_faults()
        for name, options in {name: options for name, _rate, options in reversed(faults)}.items():
            if each_at_once and not self._struck[name]:
                self.sandbox.fail_next(name, **options)
        for name, rate, options in faults:
            self.sandbox.fail_rate(name, rate, **options)

    def faults(self) -> Counter[str]:
        """Return how many calls each fault has struck so far. The sandbox has to run."""
        return self._struck + Counter(self.sandbox.struck)

    def _note_faults(self) -> None:
        self._struck += Counter(self.sandbox.struck)

    def _resume_sandbox(self) -> None:
        self.sandbox.resume()
        self.set_faults(self._faults)


def _children_of(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment has no business here
        try:
            return session.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False
