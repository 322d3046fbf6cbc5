"""Programs of the shop that are up at once: copies of one process that has imported everything.

A web server, a worker or beat takes two to three seconds of a processor before it does anything, and dozens of tests
start all three. `python -m tests.warm SOCKET` imports once, with the environment it was given; every line that comes in
by the socket names a program, which a copy of it becomes: the same code with the same settings, with connections and
caches of its own.
"""

import contextlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from storefront.demo.processes import Child, Processes

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
LOOK_SECONDS = 0.05
# Differs from test to test, and no program reads it.
OF_NO_MATTER = "PYTEST_"


class Copy:
    """A program that was copied off a warm process, with what is used of `subprocess.Popen`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._reader = line.makefile("r")
        self.pid = int(self._reader.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            with selectors.DefaultSelector() as ready:
                ready.register(self._line, selectors.EVENT_READ)
                if not ready.select(timeout):
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            # Without a line the warm process is gone, and its copies with it.
            self.returncode = int(self._reader.readline() or -signal.SIGKILL)
            self._reader.close()
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)


class WarmProcesses(Processes):
    """Children of which some are copies of warm processes."""

    def start_warm(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Child:
        """Start a module, `[name, *arguments]`, as `start` would `python -m`; the folder is the shop's."""
        asked = {"command": list(command), "log": str(log), "group": self._guard.pid}
        child: Any = Child(name, _copy(environment, asked), log, signal.SIGTERM, 10.0)  # type: ignore[arg-type]  # no Popen
        self._children.append(child)
        return child


_warm: dict[frozenset[tuple[str, str]], str] = {}
_all: list[Any] = []


def _copy(environment: Mapping[str, str], asked: dict[str, Any]) -> Copy:
    known = {name: value for name, value in environment.items() if not name.startswith(OF_NO_MATTER)}
    key = frozenset(known.items())
    if key not in _warm:
        folder = tempfile.TemporaryDirectory(prefix="shop-warm-")
        processes = Processes()  # which does not outlive this one, whatever becomes of it
        _all.extend((folder, processes))
        path = f"{folder.name}/socket"
        log = Path(folder.name) / "log"
        processes.start("warm", [sys.executable, "-m", "tests.warm", path], log=log, environment=known, folder=ROOT)
        _warm[key] = path
    deadline = time.monotonic() + START_SECONDS
    while True:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(_warm[key])
        except OSError:
            line.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            line.sendall(json.dumps(asked).encode() + b"\n")
            return Copy(line)


def forget() -> None:
    """End all warm processes of this one."""
    for one in reversed(_all):
        one.stop() if isinstance(one, Processes) else one.cleanup()
    _all.clear()
    _warm.clear()


def _serve(path: str) -> None:
    """Import everything, then copy this process for whoever asks, and tell them how their copy ended."""
    _import_everything()
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen(16)
    running: dict[int, socket.socket] = {}
    while True:
        door.settimeout(LOOK_SECONDS if running else None)
        try:
            line, _address = door.accept()
        except TimeoutError:
            line = None
        if line is not None:
            line.setblocking(True)
            asked = json.loads(line.makefile("r").readline())
            pid = os.fork()
            if pid == 0:
                for other in (door, line, *running.values()):
                    other.close()
                _become(asked)
            line.sendall(f"{pid}\n".encode())
            running[pid] = line
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                told = running.pop(pid)
                with contextlib.suppress(OSError):  # whoever started it may not ask any more
                    told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                told.close()


def _import_everything() -> None:
    import gunicorn.app.wsgiapp
    import gunicorn.workers.gthread  # noqa: F401 - so that no copy has to
    from django.conf import settings
    from django.urls import get_resolver

    # As in the suite's own process: compiling the templates again for every page is for whoever edits them.
    loaders = settings.TEMPLATES[0]["OPTIONS"]["loaders"]
    if settings.DEBUG:
        loaders[:] = [(name, [("django.template.loaders.cached.Loader", inner)]) for name, inner in loaders]
    import storefront.wsgi
    from storefront.celery import app

    app.loader.import_default_modules()
    get_resolver().url_patterns  # noqa: B018 - imports all views
    assert storefront.wsgi.application


def _become(asked: dict[str, Any]) -> None:
    """Run the program, in this process and to its end."""
    os.setpgid(0, asked["group"])
    output = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(output, number)
    module, *arguments = asked["command"]
    sys.argv = [module, *arguments]
    status = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
