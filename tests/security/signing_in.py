"""Signing in at the shop's own pages, as a customer or a thief does, and reading the letters that come of it."""

import re

from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.letters import send_letters
from tests.conftest import PASSWORD

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
# What a thief would like to have of an account.
KEY = {"name": "robot", "may_read": "on"}
HOOK = {"url": "https://thief.example.com/hook", "wants_orders": "on"}
REAUTHENTICATE = "/accounts/reauthenticate/"


def sign_in(client: Client, user: User, *, password: str = PASSWORD, address: str = "198.51.100.7"):
    """Sign in by the page; the session has confirmed nothing since."""
    headers = {"user-agent": FIREFOX}
    typed = {"login": user.email, "password": password}
    return client.post(reverse("account_login"), typed, REMOTE_ADDR=address, headers=headers)


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def confirm(client: Client, answer, *, password: str = PASSWORD):
    """Type the password where `answer` leads to, and return what comes of it."""
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    page, _separator, query = answer["Location"].partition("?next=")
    from urllib.parse import unquote

    return client.post(page, {"password": password, "next": unquote(query)})


def letters_to(address: str) -> list[str]:
    """Send what waits and return the texts of the letters to this address, oldest first."""
    send_letters()
    return [str(letter.body) for letter in mail.outbox if letter.to == [address]]


def link_in(text: str) -> str:
    """The path of the only link that leads somewhere but to the security page."""
    links = [link for link in re.findall(r"http://testserver(/\S+)", text) if link != reverse("account_security")]
    [link] = set(links)
    return link
