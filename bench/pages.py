"""Requests a second and p99 of the shop's pages over a large catalog, beside two references on the same server.

`python -m bench.pages --services 100000`. gunicorn with PostgreSQL and Valkey of its own, 8 connections that stay open.
K is a constant page of the same size, U an uncached Django page of two indexed queries and a template of 50 rows
(bench/references.py). All are measured in short turns, so that other work on the machine meets all alike.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence

from bench.serving import CONNECTIONS, Connection, Question, ask, fill, get_request, report, server
from bench.stage import machine, shop

SEARCHES = 500


def cookie_of(number: int) -> str:
    """Sign a customer in, who has three favorites and money; return the cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from bench.stage import a_customer
    from catalog.models import Service
    from catalog.operations.favorites import add_favorite

    user = a_customer(number)
    for service in Service.objects.on_sale()[number : number + 3]:
        add_favorite(user, service)
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


def page(
    name: str, paths: Sequence[str], limit: str = "", aim: float = 0.0, cookies: Sequence[str] = ("",)
) -> Question:
    """Return the question for a page; `paths` are asked for in turn, one cookie for each connection."""
    return Question(name, [[get_request(path, cookie) for path in paths] for cookie in cookies], limit, aim)


def pages_of(port: int) -> list[Question]:
    """Return what is measured: the pages and their references."""
    from catalog.browse.category_index import category_index
    from catalog.caching.version import catalog_version
    from catalog.models import Service

    largest = max(category_index(catalog_version()).on_sale, key=lambda each: each.services_count)
    service = Service.objects.on_sale().filter(category__in=largest.ids, stock=None, type="Default").first()
    service = service or Service.objects.on_sale().filter(category__in=largest.ids, stock__gt=0, type="Default")[0]
    category, product = f"/catalog/{largest.pk}/", f"/order/{service.pk}/"
    cookies = [cookie_of(number) for number in range(CONNECTIONS)]
    connection = Connection(port)
    sizes = {path: len(connection.ask(get_request(path))) for path in (category, product)}
    uncached = page("U", [f"/bench/uncached/{largest.pk}/"])
    return [
        page("K as category", [f"/bench/constant/{sizes[category]}/"]),
        page("K as service", [f"/bench/constant/{sizes[product]}/"]),
        uncached,
        page("category, signed out", [category], "K as category", 0.6),
        page("service, signed out", [product], "K as service", 0.6),
        page("category, signed in", [category], "U", 2.0, cookies),
        page("service, signed in", [product], "U", 2.0, cookies),
        page("search", searches(), "U", 1.0),
    ]


def run(services: int, rounds: int, seconds: float) -> bool:
    """Measure and print; return whether the aims were met."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-static-") as static,
        shop(services=services, STATIC_ROOT=static, ALLOWED_HOSTS="127.0.0.1") as sandbox,
    ):
        fill(sandbox)
        with server() as (port, _pid):
            pages = pages_of(port)
            for each in pages:
                ask(port, each, 1.0)
                each.forget()
            for _round in range(rounds):
                for each in pages:
                    ask(port, each, seconds)
    print(f"{services:,} services, {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s a page; {machine()}")
    by_name = {each.name: each for each in pages}
    met = [report(each, by_name.get(each.limit)) for each in pages]
    return all(met)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=100_000, help="size of the catalog, 1,000 to 100,000")
    parser.add_argument("--rounds", type=int, default=12, help="how often each page has its turn; the median counts")
    parser.add_argument("--seconds", type=float, default=0.6, help="how long a turn is")
    arguments = parser.parse_args()
    return 0 if run(arguments.services, arguments.rounds, arguments.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
