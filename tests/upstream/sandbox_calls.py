"""Calls of the sandbox over plain HTTP, without the client."""

from collections.abc import Callable
from typing import Any

import requests

from upstream.sandbox.process import Sandbox

LINK = "https://instagram.com/username"
FOLLOWERS, COMMENTS, GMAIL, POLL, SOLD_OUT = 1, 2, 3, 4, 5  # the first services of every catalog
Ask = Callable[..., Any]


def asker(sandbox: Sandbox) -> Ask:
    """Return a function that sends one action with its parameters and returns the decoded answer."""
    session = requests.Session()
    session.trust_env = False

    def ask(action: str, **params: Any) -> Any:
        body = {"key": sandbox.key, "action": action, **params}
        return session.post(sandbox.url, data=body, timeout=20).json()

    return ask


def buy(ask: Ask, service: int = FOLLOWERS, quantity: int = 1000) -> int:
    """Place an order and return its id."""
    order: int = ask("add", service=service, link=LINK, quantity=quantity)["order"]
    return order


def first_project(ask: Ask) -> str:
    """Return the id of the document's project: OpenAI / ChatGPT in the United States at 0.5000."""
    project: str = ask("sms_projects", country="us")[0]["project_id"]
    return project
