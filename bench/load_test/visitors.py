"""Who comes besides those who order: shoppers who look around, programs that ask, the owner, and a receiver."""

import random
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from bench.load_test.customers import ANSWER_SECONDS, Account, Asked, Goods, NoAnswer, Purchase, timed

WORDS = ("followers", "likes", "views", "telegram", "real", "fast", "instagram", "account", "youtube", "chaos")


class Visitors:
    """Some threads that each do one thing again and again, `per_second` of all of a kind together."""

    def __init__(self, site: str, asked: list[Asked]) -> None:
        self._site, self._asked = site, asked
        self._leaving = threading.Event()
        self._threads: list[threading.Thread] = []
        self.crashes: list[str] = []

    def come(self, name: str, of_each: list[Callable[[random.Random], "Request"]], *, per_second: float) -> None:
        """Let one visitor for each of `of_each` come; it says what to ask for next."""
        for number, choose in enumerate(of_each):
            pause = len(of_each) / per_second
            arguments = (name, choose, pause, random.Random(f"{name}:{number}"))
            thread = threading.Thread(target=self._look_around, args=arguments, name=f"{name} {number}")
            self._threads.append(thread)
            thread.start()

    def leave(self) -> None:
        """Let all of them go."""
        self._leaving.set()
        for thread in self._threads:
            thread.join(2 * ANSWER_SECONDS)

    def _look_around(self, name: str, choose: "Callable[[random.Random], Request]", pause: float, dice: Any) -> None:
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy of the environment has no business here
                while not self._leaving.wait(dice.uniform(0.3, 1.7) * pause):
                    self._ask(session, name, choose(dice))
        except Exception as error:  # told at the end
            self.crashes.append(f"{name}: {error!r}")

    def _ask(self, session: requests.Session, name: str, request: "Request") -> None:
        address, options = self._site + request.path, {"timeout": ANSWER_SECONDS}
        session.cookies.clear()
        if request.session_key:
            session.cookies.set("sessionid", request.session_key)
        try:
            if request.fields is None:
                answer = timed(self._asked, name, lambda: _shown(session.get(address, **options)))
                if "/login/" in answer.url:
                    raise AssertionError(f"signed out at {request.path}")
            else:
                timed(self._asked, name, lambda: session.post(address, data=request.fields, **options))
        except (NoAnswer, requests.RequestException):
            return  # a page that does not come is asked for again, or another one


def _shown(answer: requests.Response) -> requests.Response:
    if answer.status_code >= 400:  # all of these pages are there, and theirs who ask
        raise NoAnswer(answer.status_code)
    return answer


class Request:
    """What a visitor asks for; with `fields` it is a POST."""

    def __init__(self, path: str, *, session_key: str = "", fields: dict[str, Any] | None = None) -> None:
        self.path, self.session_key, self.fields = path, session_key, fields


def shopper(goods: Goods, categories: list[int], session_key: str) -> Callable[[random.Random], Request]:
    """Return somebody who looks at the shop's pages, signed in where there is a session."""
    own = ("/orders/", "/wallet/", "/sms/numbers/", "/catalog/favorites/", "/account/")

    def choose(dice: random.Random) -> Request:
        public = (
            "/", "/catalog/", f"/catalog/{dice.choice(categories)}/", f"/order/{dice.choice(goods.services)}/",
            f"/catalog/search/?q={dice.choice(WORDS)}+{dice.choice(WORDS)}", "/sms/",
        )  # fmt: skip
        return Request(dice.choice(own if session_key and dice.random() < 0.4 else public), session_key=session_key)

    return choose


def reseller(account: Account, purchases: list[Purchase]) -> Callable[[random.Random], Request]:
    """Return a program that asks how its orders are going, and for its balance."""

    def choose(dice: random.Random) -> Request:
        mine = [one for one in purchases[-200:] if one.user_id == account.user_id and one.answers]
        fields = {"key": account.api_key, "action": "balance"}
        if mine:
            some = dice.sample(mine, min(len(mine), 20))
            fields |= {"action": "status", "orders": ",".join(str(one.answers[0][0]) for one in some)}
        return Request("/api/v2", fields=fields)

    return choose


def owner(session_key: str, purchases: list[Purchase]) -> Callable[[random.Random], Request]:
    """Return the owner, who looks at the admin's first page, its lists, and orders."""
    lists = ("orders/order", "accounts/user", "catalog/service", "sms/number", "wallet/topup")

    def choose(dice: random.Random) -> Request:
        recent = [one for one in purchases[-100:] if one.answers]
        pages = ["/admin/", *(f"/admin/{name}/" for name in lists)]
        if recent:
            pages += 4 * [f"/admin/orders/order/{dice.choice(recent).answers[0][0]}/change/"]
        return Request(dice.choice(pages), session_key=session_key)

    return choose


class Receiver:
    """A customer's server that takes webhooks, as a context manager; `taken` counts them."""

    def __init__(self) -> None:
        receiver, self.taken = self, 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.taken += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_told: object) -> None:
        self._server.shutdown()
        self._server.server_close()
