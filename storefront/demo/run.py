"""Starting the demo's programs in order, watching them, and stopping them."""

import fcntl
import os
import shlex
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from storefront.demo import setup
from storefront.demo.older_data import made_by_another_version
from storefront.demo.plan import ROOT, SANDBOX_SETTINGS, port_of
from storefront.demo.processes import Child, ChildFailed, Processes, is_free
from storefront.demo.valkey import start_valkey

READY_SECONDS = 90.0
OLDER_DATA = """\
The demo in {folder} was made by another version of the shop, and this version cannot use its data.
Nothing was changed. To begin anew, remove the demo's data and start it again:

    rm -r {folder}
    make demo

The accounts, orders and settings of that demo are lost with it."""
Say = Callable[[str], None]


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


def run(*, folder: Path, port: int, services: int, profiles: Sequence[str], say: Say) -> None:
    """Run the demo until it is told to stop (KeyboardInterrupt, raised here for SIGTERM and SIGHUP too).

    Raises DemoFailed when something cannot be started or ends by itself. Whatever was started is stopped either way.
    """
    if not is_free(port):
        raise DemoFailed(f"Port {port} is taken. Choose another one: make demo PORT={port + 1}")
    with _only_one(folder), _stopped_by_signals():
        if made_by_another_version():
            raise DemoFailed(OLDER_DATA.format(folder=shlex.quote(_short(folder))))
        processes = Processes()
        try:
            _start(processes, folder, port, services, profiles, say)
            _watch(processes)
        except KeyboardInterrupt:
            _deaf()
            say("\nStopping")
            processes.stop(lambda name: say(f"  {name}"))
            say("Stopped; what you did is kept for the next start.")
        except ChildFailed as error:
            raise DemoFailed(str(error)) from error
        finally:
            _deaf()
            processes.stop()


def _start(processes: Processes, folder: Path, port: int, services: int, profiles: Sequence[str], say: Say) -> None:
    started = time.monotonic()
    python, log = sys.executable, folder / "log"
    start_valkey(processes, log, port=port_of(settings.REDIS_URL))
    say(f"Starting the sandbox upstream, profile: {', '.join(profiles)}")
    sandbox = [python, "-m", "upstream.sandbox", "--port", str(port_of(settings.UPSTREAM_URL))]
    sandbox += ["--services", str(services), "--seed", "1", "--balance", "5000.00"]
    sandbox += ["--state", str(folder / "sandbox.sqlite3")]
    sandbox += [f"--set={name}={value}" for name, value in SANDBOX_SETTINGS.items()]
    sandbox += [f"--profile={name}" for name in profiles]
    upstream = processes.start("sandbox", sandbox, log=log / "sandbox.log", folder=ROOT)
    say("Preparing the database")
    setup.migrate()
    setup.collect_static(folder / "static.sha256")
    staff, customer = setup.accounts()
    _await(upstream, lambda: not is_free(port_of(settings.UPSTREAM_URL)))
    setup.catalog()
    say("Looking back on five weeks")
    setup.past(staff, customer)
    connections.close_all()

    say("Starting web, worker and beat")
    web = [python, "-m", "gunicorn", "storefront.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    # Waiting a few seconds and not thirty for visitors who keep their connection open.
    web += ["--threads", "16", "--graceful-timeout", "3"]
    celery = [python, "-m", "celery", "-A", "storefront"]
    worker = [*celery, "worker", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = [*celery, "beat", "--schedule", str(folder / "beat-schedule"), "--loglevel", "INFO"]
    serving = processes.start("web", web, log=log / "web.log", folder=ROOT)
    processes.start("worker", worker, log=log / "worker.log", folder=ROOT)
    processes.start("beat", beat, log=log / "beat.log", folder=ROOT)
    address = f"http://127.0.0.1:{port}/"
    _await(serving, lambda: _answers(f"{address}health/ready"))
    say(f"Ready after {time.monotonic() - started:.1f} s. Logs and e-mails: {_short(folder)}. Ctrl-C stops everything.")
    say(
        f"{address}  customer: {setup.CUSTOMER}  admin: {setup.ADMIN} (at {address}admin/)"
        f"  password of both: {setup.PASSWORD}"
    )


def _watch(processes: Processes) -> None:
    while (child := processes.ended()) is None:
        time.sleep(0.5)
    raise _death(child)


def _await(child: Child, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if child.process.poll() is not None:
            raise _death(child)
        if time.monotonic() > deadline:
            raise ChildFailed(f"{child.name} does not answer; its log, {child.log}, ends with:\n{child.tail()}")
        time.sleep(0.1)


def _death(child: Child) -> ChildFailed:
    how = f"ended with status {child.process.returncode}"
    return ChildFailed(f"{child.name} {how}; its log, {child.log}, ends with:\n{child.tail()}")


def _answers(url: str) -> bool:
    try:
        # Without proxies of the environment: this is our own machine.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two demos on one database would send the same beats twice."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(f"A demo is already running on {_short(folder)}.") from None
        os.set_inheritable(lock.fileno(), False)
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _deaf() -> None:
    """Ignore further signals: stopping has begun, and a second Ctrl-C would leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _short(path: Path) -> str:
    return os.path.relpath(path)
