"""Whoever finds a hole finds out whom to tell: /.well-known/security.txt, as RFC 9116 has it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from storefront.web.security_txt import security_text
from tests.storefront.configuration.test_settings import load

ADDRESS = "/.well-known/security.txt"


@pytest.fixture
def _contact(settings: Any) -> None:
    settings.SECURITY_CONTACT = "mailto:security@shop.org"
    settings.SITE_URL = "https://shop.org"


@pytest.mark.usefixtures("_contact", "db")
def test_security_txt_names_contact_end_and_its_own_address() -> None:
    response = Client().get(ADDRESS)

    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:security@shop.org"
    assert fields["Canonical"] == f"https://shop.org{ADDRESS}"
    ends = datetime.strptime(fields["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=100) < ends - datetime.now(UTC) < timedelta(days=365)


@pytest.mark.usefixtures("_contact")
def test_security_txt_says_the_same_all_day() -> None:
    morning = datetime(2026, 11, 29, 3, 4, 5, tzinfo=UTC)

    assert security_text(now=morning) == security_text(now=morning + timedelta(hours=20))
    assert security_text(now=morning) != security_text(now=morning + timedelta(days=1))


@pytest.mark.django_db
def test_security_txt_when_nobody_is_named_is_not_there(settings: Any) -> None:
    settings.SECURITY_CONTACT = "mailto:support@example.com"

    assert Client().get(ADDRESS).status_code == 404


def test_security_contact_when_it_is_none_refuses_to_start() -> None:
    loaded = load(SECURITY_CONTACT="call us")

    assert re.search(r"SECURITY_CONTACT is 'call us'; it should be", loaded.stderr)
