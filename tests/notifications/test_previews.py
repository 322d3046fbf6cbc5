"""Every mail in every language, as staff looks at it: all are there, none is sent, nobody else comes in."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.rights import CATALOG, FINANCE, OWNER, SUPPORT
from notifications.models import Letter, Notice
from notifications.samples import Sample, declare_samples, samples
from tests.conftest import customer
from tests.security.staff import at_the_admin, in_role

pytestmark = pytest.mark.django_db
HERE = "/admin/notifications/notice/mails/"


def links(client: Client) -> list[str]:
    return re.findall(rf'href="({HERE}[^"]+)"', client.get(HERE).content.decode())


def test_mails_when_the_owner_walks_them_then_each_is_there_in_every_language_and_none_is_sent(
    client: Client, sam: User
) -> None:
    client.force_login(sam)
    found = links(client)
    assert len(found) == (len(samples()) + 1) * 4  # two languages, as HTML and as text

    for address in found:
        answer = client.get(address)
        assert (address, answer.status_code) == (address, 200)
        text = answer.content.decode()
        assert "{{" not in text
        if address.endswith(".html"):
            assert f'<html lang="{"ru" if "/ru." in address else "en"}">' in text
            assert "default-src 'none'" in answer["Content-Security-Policy"]
            assert "script" not in answer["Content-Security-Policy"]
        if "/ru." in address:
            assert re.search("[а-яё]{4}", text), address

    assert (mail.outbox, Notice.objects.count(), Letter.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize(("role", "may"), [(OWNER, True), (SUPPORT, True), (FINANCE, False), (CATALOG, False)])
def test_mails_when_somebody_of_staff_asks_then_only_owner_and_support_see_them(db: None, role: str, may: bool) -> None:
    browser = at_the_admin(in_role("worker@example.com", role))

    for address in (HERE, f"{HERE}order-complete/en.html"):
        assert browser.get(address).status_code == (200 if may else 403)
        assert browser.post(address).status_code == 403


def test_mails_when_a_customer_asks_then_they_are_not_shown(ann: User) -> None:
    assert at_the_admin(customer("carol@example.com")).get(f"{HERE}order-complete/en.html").status_code != 200


@pytest.mark.parametrize("end", ["order-complete/xx.html", "order-complete/en.pdf", "nothing/en.html"])
def test_mails_when_there_is_no_such_one_then_it_says_so(client: Client, sam: User, end: str) -> None:
    client.force_login(sam)

    assert client.get(HERE + end).status_code == 404


def test_declare_samples_when_the_kind_is_unknown_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        declare_samples([Sample("x", "nonsense", "X", lambda reader: ("", ""))])
