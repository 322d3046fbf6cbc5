"""What the measurements of answers over HTTP share: the server, connections that stay open, and turns to ask in."""

import itertools
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upstream.sandbox.process import Sandbox

CONNECTIONS = 8


@dataclass
class Question:
    """Something to ask the server, and what was seen of it.

    `requests` are asked in turn, each connection with a list of its own where there are as many as connections.
    """

    name: str
    requests: Sequence[Sequence[bytes]]
    limit: str = ""  # the reference it is compared with
    aim: float = 0.0  # as a share of that
    per_second: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        return 1000 * statistics.quantiles(self.seconds, n=100)[98]

    def forget(self) -> None:
        """Begin anew, after a warm-up."""
        self.per_second, self.seconds = [], []


def get_request(path: str, cookie: str = "") -> bytes:
    """Return a GET as it is sent."""
    more = f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n{more}\r\n".encode()


def post_request(path: str, body: str) -> bytes:
    """Return a POST of a form as it is sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Connection:
    """One connection to the server that stays open; only as much HTTP as the server speaks."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """Return the body. Raises AssertionError for anything but a 200."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _blank, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), f"{request[:80]!r}: {head.splitlines()[0]!r}"
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        parts, missing = [body], length - len(body)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _more(self) -> bytes:
        received = self._socket.recv(1 << 18)
        assert received, "the server closed the connection"
        return received


def ask(port: int, question: Question, seconds: float) -> None:
    """Ask one question over all connections for so long; add what was seen to it."""
    taken: list[list[float]] = [[] for _each in range(CONNECTIONS)]
    failed: list[BaseException] = []
    ends = time.perf_counter() + seconds

    def work(number: int) -> None:
        try:
            connection = Connection(port)
            requests = question.requests[number % len(question.requests)]
            for request in itertools.cycle(requests[number:] or requests):
                began = time.perf_counter()
                if began >= ends:
                    return
                connection.ask(request)
                taken[number].append(time.perf_counter() - began)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    together = list(itertools.chain(*taken))
    question.per_second.append(len(together) / (time.perf_counter() - began))
    question.seconds += together


def report(question: Question, limit: Question | None) -> bool:
    """Print one line; return whether the question's aim was met."""
    line = f"{question.name:22} {statistics.median(question.per_second):8.1f} /s   p99 {question.p99_ms:7.1f} ms"
    if limit is None:
        print(line)
        return True
    pairs = zip(question.per_second, limit.per_second, strict=True)
    share = statistics.median(ours / theirs for ours, theirs in pairs)
    print(f"{line}   {share:6.2f} x {limit.name}" + (f" (aim: at least {question.aim})" if question.aim else ""))
    return share >= question.aim


def fill(sandbox: "Sandbox") -> None:
    """Take the sandbox's services into the shop, as a sync does, with every unit confirmed and every word learned."""
    from django.db import connection

    from catalog.models import Category
    from catalog.operations.overrides import confirm_rate_units
    from catalog.sync.sync_catalog import sync_catalog
    from catalog.word_index.kept import keep_word_index
    from catalog.words.vocabulary import learn_words

    collect_static()  # what is cached from here on is found by a server with the same files alone
    sync_catalog(client=sandbox.client(), now=datetime.now(UTC))
    confirm_rate_units(Category.objects.all(), now=datetime.now(UTC))
    learn_words()
    keep_word_index()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@cache
def collect_static() -> None:
    """Collect the static files, once."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Run gunicorn as the shop does, with the references; yield its port and process id."""
    from storefront.demo.processes import Processes, free_port

    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder, Processes() as processes:
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "bench.references", "--bind", f"127.0.0.1:{port}"]
        collect_static()
        child = processes.start("gunicorn", [*command, "--max-requests", "0"], log=Path(folder) / "web.log")
        deadline = time.monotonic() + 60
        while True:
            try:
                Connection(port).ask(get_request("/bench/constant/1/"))
                break
            except OSError as error:
                if time.monotonic() > deadline or child.process.poll() is not None:
                    raise SystemExit(f"gunicorn does not start: {error}\n{child.tail()}") from error
                time.sleep(0.2)
        yield port, child.process.pid
