"""Two hosts of one shop, each with web, worker and beat, of which one can be cut off from all the others need.

In `Silenced` they are processes that reach database, Redis and supplier by lines that can fall silent: any machine can
do that. In `Namespaces` each has a network stack of its own, plugged into one switch, and a host that is pulled out
reaches nobody and is reached by nobody, without a word to either side: for root alone, with iproute2.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storefront.demo.processes import Child
from tests.storefront.settings_source import ROOT
from tests.storefront.stops.neighbours import Line
from tests.storefront.stops.servers import Web
from tests.warm import WarmProcesses
from tests.workers import Workers


class Host:
    """One host: `start` brings it up, `cut_off` takes the network from it, `heal` gives it back.

    `neighbours` are the addresses of what it needs, by the variable that names each; they are reached by lines.
    """

    def __init__(self, network: "Silenced | Namespaces", number: int, folder: Path, neighbours: dict[str, str]) -> None:
        self._network, self._number, self._folder = network, number, folder
        self._open = ExitStack()
        self.lines = {name: self._line(url) for name, url in neighbours.items()}
        folder.mkdir()
        self._processes = self._open.enter_context(network.processes(number))
        environment = {name: self._by_line(name, url) for name, url in neighbours.items()}
        address = network.address(number)
        self.web = Web(self._processes, folder, address=address, ALLOWED_HOSTS=f"{address},testserver", **environment)
        self.workers = Workers(self._processes, folder, **environment)

    def start(self, **environment: str) -> None:
        """Start web, worker and beat, and return once web answers."""
        self.workers.environment |= environment
        self.workers.worker()
        self.workers.beat()
        self.web.start("--threads", "6", **environment)

    def cut_off(self) -> None:
        """Let nothing in or out any more, without a word."""
        self._network.cut_off(self)

    def heal(self) -> None:
        """Let everything through again, what has waited too; but for purchases that have not reached the supplier.

        A network can hand those over long after their sender gave up. By then the shop of these tests, unlike one with
        the SETTLE_SECONDS of every day, has long settled that they were never placed, and would be right to send again.
        """
        self.lines["UPSTREAM_URL"].cut()
        self._network.heal(self)
        self.lines["UPSTREAM_URL"].restore()

    def stop(self) -> None:
        """End its processes at once, and its lines."""
        self._processes.kill()
        self._open.close()

    @property
    def number(self) -> int:
        """Which of the hosts it is, from 1 on."""
        return self._number

    def _line(self, url: str) -> Line:
        to = urlsplit(url)
        assert to.hostname
        assert to.port
        return self._open.enter_context(Line(to.hostname, to.port, at=self._network.gateway))

    def _by_line(self, name: str, url: str) -> str:
        to = urlsplit(url)
        user = f"{to.username or ''}:{to.password or ''}@" if to.username or to.password else ""
        port = self.lines[name].port
        if self._network.gateway != "127.0.0.1":  # the shop speaks to nobody else without TLS
            command = [sys.executable, "-m", "tests.storefront.hosts.hosts", self._network.gateway, str(port)]
            self._processes.start(name, command, log=self._folder / f"{name}.log", folder=ROOT)
        return to._replace(netloc=f"{user}127.0.0.1:{port}").geturl()


class Silenced:
    """Hosts that are groups of processes on this machine."""

    gateway = "127.0.0.1"

    def __enter__(self) -> "Silenced":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def address(self, number: int) -> str:
        return "127.0.0.1"

    def processes(self, number: int) -> WarmProcesses:
        return WarmProcesses()

    def cut_off(self, host: Host) -> None:
        for line in host.lines.values():
            line.fall_silent()

    def heal(self, host: Host) -> None:
        for line in host.lines.values():
            line.speak_again()


class Namespaces:
    """Hosts in network namespaces, at 10.77.x.2, 10.77.x.3 and so on; this process is at 10.77.x.1."""

    def __init__(self) -> None:
        self._net = f"10.77.{os.getpid() % 250}"
        self._switch = f"shop{os.getpid()}"
        self.gateway = f"{self._net}.1"
        self._names: list[str] = []

    @staticmethod
    def why_not() -> str:
        """Return why this machine has no such hosts, "" where it has."""
        if os.geteuid() != 0 or shutil.which("ip") is None:
            return "needs root and iproute2"
        tried = subprocess.run(["ip", "netns", "add", f"try{os.getpid()}"], capture_output=True, check=False)
        if tried.returncode:
            return "this machine lets nobody make network namespaces"
        _ip("netns", "del", f"try{os.getpid()}")
        return ""

    def __enter__(self) -> "Namespaces":
        _ip("link", "add", self._switch, "type", "bridge")
        _ip("address", "add", f"{self.gateway}/24", "dev", self._switch)
        _ip("link", "set", self._switch, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            _ip("netns", "del", name)
        _ip("link", "del", self._switch)

    def address(self, number: int) -> str:
        return f"{self._net}.{number + 1}"

    def processes(self, number: int) -> WarmProcesses:
        name = self._plug(number)
        _ip("netns", "add", name)
        self._names.append(name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", self._switch, "up")
        _ip("-n", name, "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", name, "link", "set", device, "up")
        return _InNamespace(name)

    def cut_off(self, host: Host) -> None:
        _ip("link", "set", self._plug(host.number), "nomaster")

    def heal(self, host: Host) -> None:
        _ip("link", "set", self._plug(host.number), "master", self._switch)

    def _plug(self, number: int) -> str:
        return f"{self._switch}h{number}"


class _InNamespace(WarmProcesses):
    """Processes of one network namespace; none of them is a copy of a warm one, which has another network."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._inside = ["ip", "netns", "exec", name]

    def start(self, name: str, command: Sequence[str], **options: Any) -> Child:
        return super().start(name, [*self._inside, *command], **options)

    def start_warm(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Child:
        return self.start(name, [sys.executable, "-m", *command], log=log, environment=environment)


def _carry_from_here(gateway: str, port: int) -> None:
    """Carry what comes to a port of this host's own to the same port beyond the switch."""
    with Line(gateway, port) as line:
        line.cut()
        line.port = port
        line.restore()
        signal.pause()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    _carry_from_here(sys.argv[1], int(sys.argv[2]))
