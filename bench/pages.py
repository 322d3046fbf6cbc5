"""Requests a second and p99 of the shop's pages over a large catalog, beside two references on the same server.

`python -m bench.pages --services 100000`. gunicorn with PostgreSQL and Valkey of its own, 8 connections that stay open.
K is a constant page of the same size, U an uncached Django page of two indexed queries and a template of 50 rows
(bench/pages_server.py). All are measured in short turns, so that other work on the machine meets all alike.
"""

import argparse
import itertools
import random
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
from pathlib import Path
from typing import TYPE_CHECKING

from bench.stage import machine, shop

if TYPE_CHECKING:
    from upstream.sandbox.process import Sandbox

CONNECTIONS = 8
SEARCHES = 500


@dataclass
class Page:
    """One page and what was seen of it; `paths` are asked for in turn, one cookie for each connection."""

    name: str
    paths: Sequence[str]
    limit: str = ""  # the reference it is compared with
    aim: float = 0.0  # as a share of that
    cookies: Sequence[str] = ()
    per_second: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        return 1000 * statistics.quantiles(self.seconds, n=100)[98]


class Connection:
    """One connection to the server that stays open; only as much HTTP as the server speaks."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str, cookie: str) -> bytes:
        """Return the body. Raises AssertionError for anything but a 200."""
        more = f"Cookie: {cookie}\r\n" if cookie else ""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n{more}\r\n".encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _blank, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), f"{path}: {head.splitlines()[0]!r}"
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


def ask(port: int, page: Page, seconds: float) -> None:
    """Ask for one page over all connections for so long; add what was seen to the page."""
    taken: list[list[float]] = [[] for _each in range(CONNECTIONS)]
    failed: list[BaseException] = []
    ends = time.perf_counter() + seconds

    def work(number: int) -> None:
        try:
            connection = Connection(port)
            cookie = page.cookies[number % len(page.cookies)] if page.cookies else ""
            for path in itertools.cycle(page.paths[number:] or page.paths):
                began = time.perf_counter()
                if began >= ends:
                    return
                connection.get(path, cookie)
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
    page.per_second.append(len(together) / (time.perf_counter() - began))
    page.seconds += together


def fill(sandbox: "Sandbox") -> None:
    """Take the sandbox's services into the shop, as a sync does, with every unit confirmed and every word learned."""
    from django.db import connection

    from catalog.models import Category
    from catalog.operations import confirm_rate_units, sync_catalog
    from catalog.search import learn_words

    sync_catalog(client=sandbox.client(), now=datetime.now(UTC))
    confirm_rate_units(Category.objects.all(), now=datetime.now(UTC))
    learn_words()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def cookie_of(number: int) -> str:
    """Sign a customer in, who has three favourites and money; return the cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from bench.stage import a_customer
    from catalog.favourites import keep_favourite
    from catalog.models import Service

    user = a_customer(number)
    for service in Service.objects.on_sale()[number : number + 3]:
        keep_favourite(user, service)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def searches() -> list[str]:
    """Return addresses of searches for two or three words of services picked at random."""
    from django.utils.http import urlencode

    from catalog.models import Service

    rng = random.Random(4)
    texts = list(Service.objects.on_sale().order_by("pk").values_list("search_text", flat=True)[::7])
    found = []
    for text in rng.sample(texts, min(SEARCHES, len(texts))):
        words = sorted({word for word in text.split() if word.isalnum() and len(word) > 2})
        found.append(
            f"/catalog/search/?{urlencode({'q': ' '.join(rng.sample(words, min(len(words), rng.choice((2, 3)))))})}"
        )
    return found


@contextmanager
def server() -> Iterator[int]:
    """Run gunicorn as the shop does, with the two references; yield its port."""
    from django.core.management import call_command

    from storefront.demo.processes import Processes, free_port

    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder, Processes() as processes:
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "bench.pages_server", "--bind", f"127.0.0.1:{port}"]
        call_command("collectstatic", interactive=False, verbosity=0)
        child = processes.start("gunicorn", [*command, "--max-requests", "0"], log=Path(folder) / "web.log")
        deadline = time.monotonic() + 60
        while True:
            try:
                Connection(port).get("/bench/constant/1/", "")
                break
            except OSError as error:
                if time.monotonic() > deadline or child.process.poll() is not None:
                    raise SystemExit(f"gunicorn does not start: {error}\n{child.tail()}") from error
                time.sleep(0.2)
        yield port


def pages_of(port: int) -> list[Page]:
    """Return what is measured: the pages and their references."""
    from catalog.directory import directory
    from catalog.models import Service
    from catalog.version import catalog_version

    shelf = max(directory(catalog_version()).on_sale, key=lambda each: each.services_count)
    service = Service.objects.on_sale().filter(category__in=shelf.ids, stock=None, type="Default").first()
    service = service or Service.objects.on_sale().filter(category__in=shelf.ids, stock__gt=0, type="Default")[0]
    category, product = f"/catalog/{shelf.pk}/", f"/order/{service.pk}/"
    cookies = [cookie_of(number) for number in range(CONNECTIONS)]
    connection = Connection(port)
    sizes = {path: len(connection.get(path, "")) for path in (category, product)}
    uncached = Page("U", [f"/bench/uncached/{shelf.pk}/"])
    return [
        Page("K as category", [f"/bench/constant/{sizes[category]}/"]),
        Page("K as service", [f"/bench/constant/{sizes[product]}/"]),
        uncached,
        Page("category, signed out", [category], "K as category", 0.6),
        Page("service, signed out", [product], "K as service", 0.6),
        Page("category, signed in", [category], "U", 1.5, cookies),
        Page("service, signed in", [product], "U", 1.5, cookies),
        Page("search", searches(), "U", 0.5),
    ]


def run(services: int, rounds: int, seconds: float) -> bool:
    """Measure and print; return whether the aims were met."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-static-") as static,
        shop(services=services, STATIC_ROOT=static, ALLOWED_HOSTS="127.0.0.1") as sandbox,
    ):
        fill(sandbox)
        with server() as port:
            pages = pages_of(port)
            for page in pages:
                ask(port, page, 1.0)
                page.per_second, page.seconds = [], []
            for _round in range(rounds):
                for page in pages:
                    ask(port, page, seconds)
    print(f"{services:,} services, {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s a page; {machine()}")
    by_name = {page.name: page for page in pages}
    met = [report(page, by_name.get(page.limit)) for page in pages]
    return all(met)


def report(page: Page, limit: Page | None) -> bool:
    """Print one line; return whether the page's aim was met."""
    line = f"{page.name:22} {statistics.median(page.per_second):8.1f} /s   p99 {page.p99_ms:7.1f} ms"
    if limit is None:
        print(line)
        return True
    share = statistics.median(ours / theirs for ours, theirs in zip(page.per_second, limit.per_second, strict=True))
    print(f"{line}   {share:6.2f} x {limit.name}" + (f" (aim: at least {page.aim})" if page.aim else ""))
    return share >= page.aim


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=100_000, help="size of the catalog, 1,000 to 100,000")
    parser.add_argument("--rounds", type=int, default=12, help="how often each page has its turn; the median counts")
    parser.add_argument("--seconds", type=float, default=0.6, help="how long a turn is")
    arguments = parser.parse_args()
    return 0 if run(arguments.services, arguments.rounds, arguments.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
