"""Customers who order from many threads, through the API and the pages, and repeat what was not answered."""

import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

ANSWER_SECONDS = 30.0
REPEAT_SECONDS = 0.3
HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|request_id|quote)" value="([^"]*)"')


class NoAnswer(Exception):
    """The shop did not say yes or no: the same request has to be repeated."""


@dataclass
class Purchase:
    """One press of a button, with everything the shop has answered to it and its repeats."""

    user_id: int
    request_id: str
    pieces: int
    answers: list[tuple[int, ...]] = field(default_factory=list)
    refusal: str = ""
    tries: int = 0

    @property
    def is_settled(self) -> bool:
        return bool(self.answers or self.refusal)


@dataclass(frozen=True)
class Account:
    """How one customer comes in: an API key and a session cookie."""

    user_id: int
    api_key: str
    session_key: str


@dataclass(frozen=True)
class Asked:
    """One request as its sender saw it: when it began, how long it took, and whether the shop answered at all."""

    at: float  # of time.monotonic
    what: str  # "page", "api", "numbers", "admin"
    seconds: float
    answered: bool


@dataclass(frozen=True)
class Goods:
    """What can be bought: ids of the shop, not of upstream."""

    services: list[int]
    projects: list[int]


class Crowd:
    """Orders `per_second` in all from one thread per account, until told to stop; then until every one is answered."""

    def __init__(self, site: str, accounts: list[Account], goods: Goods, *, per_second: float, seed: int) -> None:
        self.purchases: list[Purchase] = []
        self.crashes: list[str] = []
        self.asked: list[Asked] = []
        self._site, self._accounts, self._goods = site, accounts, goods
        self._pause_seconds = len(accounts) / per_second
        self._seed = seed
        self._closing = threading.Event()
        self._gone_home = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Let them in."""
        for number, account in enumerate(self._accounts):
            shopper = Shopper(self, account, random.Random(f"{self._seed}:{number}"))
            thread = threading.Thread(target=self._guarded, args=(shopper,), name=f"customer {number}")
            thread.start()
            self._threads.append(thread)

    def close(self, seconds: float) -> list[Purchase]:
        """Stop ordering; return what the shop has not answered within `seconds`, repeats included."""
        self._closing.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.1))
        self._gone_home.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS)
        self._gone_home.clear()
        return [purchase for purchase in self.purchases if not purchase.is_settled]

    def _guarded(self, shopper: "Shopper") -> None:
        try:
            while not self._closing.wait(shopper.dice.uniform(0.3, 1.7) * self._pause_seconds):
                shopper.buy_something()
        except Exception as error:  # told at the end; a thread that died silently would make the test too mild
            self.crashes.append(f"{threading.current_thread().name}: {error!r}")

    def one_more(self) -> "Shopper":
        """Return a customer who orders when told to, from the calling thread, and stands by it."""
        return Shopper(self, self._accounts[0], random.Random(f"{self._seed}:one more"), regrets=0.0)

    @property
    def goods(self) -> Goods:
        return self._goods

    @property
    def site(self) -> str:
        return self._site

    def insist(self, purchase: Purchase, ask: Callable[[], tuple[int, ...] | str]) -> None:
        """Ask until the shop says yes (order ids) or no (a text), with the same request id each time."""
        while not self._gone_home.is_set():
            purchase.tries += 1
            try:
                reply = ask()
            except (NoAnswer, requests.RequestException):
                self._gone_home.wait(REPEAT_SECONDS)
                continue
            if isinstance(reply, str):
                purchase.refusal = reply
            else:
                purchase.answers.append(reply)
            return


class Shopper:
    """One customer; every purchase has a link of its own, by which it is found upstream."""

    def __init__(self, crowd: Crowd, account: Account, dice: random.Random, *, regrets: float = 0.05) -> None:
        self._crowd, self._account, self.dice, self._regrets = crowd, account, dice, regrets
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy of the environment has no business here
        self._http.cookies.set("sessionid", account.session_key)

    def buy_something(self) -> None:
        """Buy a number now and then, mostly services, through the API or the page; repeat some of it on purpose."""
        draw = self.dice.random()
        if draw < 0.15:
            self.buy_numbers(self.dice.choice((1, 1, 2)))
        elif draw < 0.25:
            self.buy_on_the_page()
        else:
            self.buy_a_service()

    def buy_a_service(self) -> Purchase:
        purchase = self._purchase(1)
        fields = {
            "action": "add",
            "service": self.dice.choice(self._crowd.goods.services),
            "quantity": self.dice.randint(10, 1000),
            "link": _link(purchase),
        }
        self._order(purchase, fields)
        if purchase.answers and self.dice.random() < self._regrets:
            self._change_their_mind(purchase.answers[0][0])
        return purchase

    def buy_numbers(self, quantity: int) -> Purchase:
        purchase = self._purchase(quantity)
        project = self.dice.choice(self._crowd.goods.projects)
        self._order(purchase, {"action": "add_sms", "project_id": project, "quantity": quantity})
        return purchase

    def _order(self, purchase: Purchase, fields: dict[str, Any]) -> None:
        """Send it once, sometimes twice at the same moment, sometimes once more later."""
        fields = {**fields, "key": self._account.api_key, "request_id": purchase.request_id}

        def ask() -> tuple[int, ...] | str:
            return _order_ids(self._post("/api/v2", fields))

        if self.dice.random() < 0.1:
            with ThreadPoolExecutor(2) as hands:
                for hand in [hands.submit(self._crowd.insist, purchase, ask) for _each in range(2)]:
                    hand.result()
        else:
            self._crowd.insist(purchase, ask)
        if self.dice.random() < 0.1:
            self._crowd.insist(purchase, ask)

    def buy_on_the_page(self) -> Purchase:
        """Open the order form and send it; the form's own request id makes a repeat safe."""
        purchase = self._purchase(1)
        address = f"/order/{self.dice.choice(self._crowd.goods.services)}/"
        quantity = str(self.dice.randint(10, 1000))
        form: dict[str, str] = {}

        def open_page() -> str:
            page = self._get(f"{address}?quantity={quantity}")
            form.update(HIDDEN.findall(page.text))
            return "" if {"request_id", "quote"} <= form.keys() else "no form"

        self._crowd.insist(purchase, open_page)
        if purchase.refusal or "request_id" not in form:
            return purchase
        purchase.request_id = form["request_id"]
        form |= {"quantity": quantity, "link": _link(purchase)}

        def send() -> tuple[int, ...] | str:
            answer = self._post(address, form)
            order = re.fullmatch(r"/orders/(\d+)/", answer.headers.get("Location", ""))
            return (int(order[1]),) if order else "the form came back"

        self._crowd.insist(purchase, send)
        return purchase

    def _change_their_mind(self, order_id: int) -> None:
        """Cancel on the page, as fast as one can: sometimes it is not sent yet."""
        try:
            form = dict(HIDDEN.findall(self._get(f"/orders/{order_id}/").text))
            self._post(f"/orders/{order_id}/cancel/", form)
        except (NoAnswer, requests.RequestException):
            return

    def _purchase(self, pieces: int) -> Purchase:
        purchase = Purchase(self._account.user_id, str(uuid.UUID(int=self.dice.getrandbits(128))), pieces)
        self._crowd.purchases.append(purchase)
        return purchase

    def _get(self, path: str) -> requests.Response:
        address = self._crowd.site + path
        return timed(self._crowd.asked, "page", lambda: self._http.get(address, timeout=ANSWER_SECONDS))

    def _post(self, path: str, fields: dict[str, Any]) -> requests.Response:
        address = self._crowd.site + path
        # Numbers are bought while their buyer waits: how long that takes is upstream's affair.
        what = "numbers" if fields.get("action") == "add_sms" else "api" if path == "/api/v2" else "page"
        options: dict[str, Any] = {"data": fields, "timeout": ANSWER_SECONDS, "allow_redirects": False}
        return timed(self._crowd.asked, what, lambda: self._http.post(address, **options))


def timed(asked: list[Asked], what: str, send: Callable[[], requests.Response]) -> requests.Response:
    """Send a request and add to `asked` how it went. Raises NoAnswer, and what requests raises."""
    began, answered = time.monotonic(), False
    try:
        answer = _answered(send())
        answered = True
        return answer
    finally:
        asked.append(Asked(began, what, time.monotonic() - began, answered))


def _answered(answer: requests.Response) -> requests.Response:
    if answer.status_code >= 500:
        raise NoAnswer(answer.status_code)
    return answer


def _link(purchase: Purchase) -> str:
    return f"https://example.com/{purchase.request_id}"


def _order_ids(answer: requests.Response) -> tuple[int, ...] | str:
    """Return the order ids of an API answer, or its refusal. Raises NoAnswer for trouble of the shop's own."""
    body = answer.json()
    if "error" in body:
        if body["error"] == "Internal server error":
            raise NoAnswer(body["error"])
        return str(body["error"])
    return (body["order"],) if "order" in body else tuple(row["order"] for row in body["orders"])
