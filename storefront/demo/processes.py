"""Starting, watching and stopping a handful of child processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

GUARD = Path(__file__).with_name("guard.py")


class ChildFailed(RuntimeError):
    """A child could not be started or ended by itself; the text names it and its log."""


@dataclass(frozen=True)
class Child:
    """One running program, how it likes to be stopped, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals
    stop_seconds: float

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


class Processes:
    """The children of this process. They are stopped newest first, and they do not outlive their parent."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        # -I -S: the guard needs nothing but the standard library and should be up at once.
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 10.0,
        owner: tuple[int, int] | None = None,
        folder: Path | None = None,
    ) -> Child:
        """Start a program with its output in `log`, in `folder` if one is named.

        `owner` is the (user id, group id) it should run as.

        Raises ChildFailed when the program cannot be run at all.
        """
        rights: dict[str, object] = {}
        if owner is not None:
            rights = {"user": owner[0], "group": owner[1], "extra_groups": []}
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=dict(os.environ if environment is None else environment),
                    # The guard's group: Ctrl-C in the terminal reaches the parent alone, which stops in order.
                    process_group=self._guard.pid,
                    **rights,  # type: ignore[call-overload]  # the stubs want these three spelled out
                )
        except OSError as error:
            raise ChildFailed(f"{name} cannot be started: {error}") from error
        child = Child(name, process, log, stop_signal, stop_seconds)
        self._children.append(child)
        return child

    def ended(self) -> Child | None:
        """Return a child that ended by itself, if there is one."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def forget(self, child: Child) -> None:
        """Stop one child and watch it no longer."""
        self._children.remove(child)
        if child.process.poll() is None:
            self._end(child)

    def kill(self) -> None:
        """End all children and theirs at once, as a power cut would; nothing can be started afterward."""
        os.killpg(self._guard.pid, signal.SIGKILL)
        for child in self._children:
            child.process.wait()
        self._guard.wait()
        self._children.clear()

    def stop(self, log: Callable[[str], None] = lambda name: None) -> None:
        """Stop every child, the newest first, and wait for each; `log` gets each name. Safe to call twice."""
        while self._children:
            child = self._children.pop()
            if child.process.poll() is None:
                log(child.name)
                self._end(child)
        if self._guard.poll() is None:
            # With the guard goes whoever else is in the group: a worker whose master had to be killed.
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()

    @staticmethod
    def _end(child: Child) -> None:
        child.process.send_signal(child.stop_signal)
        try:
            child.process.wait(child.stop_seconds)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now; another process may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
