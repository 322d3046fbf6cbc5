"""Second factors as tests use them: the code an app shows, sessions that have shown a factor or grown old."""

import time

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.conftest import SEED, second_factor
from tests.security.signing_in import sign_in

CONFIRM = reverse("mfa_reauthenticate")
SET_UP = reverse("mfa_index")
NOTHING_DONE = "Nothing has been done yet"


def code(seed: str = SEED) -> str:
    """The six digits an app shows now. Each counts once; here again, as if half a minute had passed."""
    cache.clear()
    return format_hotp_value(hotp_value(seed, int(time.time()) // 30))


def sign_in_with_factor(client: Client, user: User) -> None:
    """Sign in by the pages, with password and code."""
    second_factor(user)
    answer = sign_in(client, user)
    assert answer["Location"].startswith(reverse("mfa_authenticate"))
    assert client.post(reverse("mfa_authenticate"), {"code": code()}).status_code == 302


def grow_old(client: Client, seconds: float = 601) -> None:
    """Let the session have confirmed whatever it has so long ago."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= seconds
    session.save()


def age_all_sessions(user: User) -> None:
    """Let every session of the account have confirmed whatever it has longer ago than counts."""
    for session in Session.objects.all():
        store = SessionStore(session.session_key)
        if store.get(SESSION_KEY) == str(user.pk):
            for record in store[AUTHENTICATION_METHODS_SESSION_KEY]:
                record["at"] -= 601
            store.save()


def confirm_with(client: Client, answer, typed: str):
    """Type a code where `answer` leads to, and return what comes of it."""
    where = answer["HX-Redirect"] if "HX-Redirect" in answer else answer["Location"]
    assert where.startswith(f"{CONFIRM}?next="), where
    from urllib.parse import parse_qs, urlsplit

    [back] = parse_qs(urlsplit(where).query)["next"]
    return client.post(CONFIRM, {"code": typed, "next": back})


def recovery_code(user: User) -> str:
    return RecoveryCodes.activate(user).get_unused_codes()[0]


def passkey(user: User) -> Authenticator:
    """A row as the library keeps it; nobody can sign anything with it."""
    data = {"name": "Key", "passwordless": True, "credential": {}}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin, who has confirmed nothing for longer than ten minutes."""
    client.force_login(sam)
    grow_old(client)
    return client


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def form_of(user: User, **changed: str) -> dict[str, str]:
    return {"email": user.email, "is_active": "on", **changed}
