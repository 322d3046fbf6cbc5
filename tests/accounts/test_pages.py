"""Sign-up to second factor, in the shop's own clothes."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from notifications.letters import send_letters
from tests.conftest import PASSWORD
from tests.pages import alerts, markup
from tests.support.documents.terms import ticked

pytestmark = pytest.mark.django_db

FOR_VISITORS = ["account_login", "account_signup", "account_reset_password", "account_email_verification_sent"]
FOR_CUSTOMERS = ["account", "account_email", "account_change_password", "account_logout", "mfa_index"]


def text(page: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


def scripts_without_source(page: Any) -> list[str]:
    """Script tags the policy would block: neither from a file nor mere data."""
    tags = re.findall(r"<script[^>]*>", page.content.decode())
    return [tag for tag in tags if "src=" not in tag and 'type="application/json"' not in tag]


def assert_formatted(page: Any) -> None:
    assert page.status_code == 200
    assert '<header class="header"' in page.content.decode()
    assert f"· {settings.STORE_NAME}</title>" in markup(page)
    assert scripts_without_source(page) == []
    assert re.findall(r"\s(?:style|onclick|onsubmit)=", page.content.decode()) == []
    buttons = re.findall(r"<button[^>]*>", page.content.decode())
    assert [button for button in buttons if "class=" not in button and 'name="language"' not in button] == []


@pytest.mark.parametrize("name", FOR_VISITORS)
def test_entrance_page_wears_the_shops_clothes(client: Client, name: str) -> None:
    assert_formatted(client.get(reverse(name)))


@pytest.mark.parametrize("name", FOR_CUSTOMERS)
def test_account_page_wears_the_shops_clothes(client: Client, ann: User, name: str) -> None:
    client.force_login(ann)

    assert_formatted(client.get(reverse(name)))


@pytest.mark.parametrize("name", FOR_CUSTOMERS)
def test_account_page_for_a_visitor_leads_to_sign_in(client: Client, name: str) -> None:
    answer = client.get(reverse(name))

    assert answer.status_code == 302
    if name != "account_logout":
        assert answer["Location"] == f"{reverse('account_login')}?next={reverse(name)}"


def test_account_shows_who_is_signed_in_and_the_ways_to_change_it(client: Client, ann: User) -> None:
    client.force_login(ann)

    page = client.get(reverse("account"))

    assert "You are signed in as ann@example.com." in text(page)
    for name in ("account_email", "account_change_password", "mfa_index", "account_logout"):
        assert f'"{reverse(name)}"' in page.content.decode()


def test_account_costs_four_queries(client: Client, ann: User, django_assert_num_queries: Any) -> None:
    client.force_login(ann)

    with django_assert_num_queries(4):  # session, user, wallet, stock alerts
        client.get(reverse("account"))


def test_sign_up_sends_a_letter_in_the_shops_name_whose_link_confirms(client: Client) -> None:
    new = {"email": "New@Example.com", "password1": "a fine long secret", "password2": "a fine long secret"}

    answer = client.post(reverse("account_signup"), new | ticked())

    assert answer["Location"] == reverse("account_email_verification_sent")
    send_letters()
    letter = mail.outbox[0]
    assert letter.to == ["new@example.com"]
    assert letter.subject.startswith(f"{settings.STORE_NAME}: ")
    assert f"Hello from {settings.STORE_NAME}!" in letter.body
    assert settings.SUPPORT_EMAIL in letter.body
    link = re.search(r"http://testserver(\S+)", str(letter.body))
    assert link is not None
    assert_formatted(client.get(link[1]))
    client.post(link[1])
    assert (
        client.post(reverse("account_login"), {"login": "new@example.com", "password": "a fine long secret"})[
            "Location"
        ]
        == "/"
    )


def test_sign_up_with_two_different_passwords_says_so_beside_the_field(client: Client) -> None:
    page = client.post(
        reverse("account_signup"),
        {"email": "new@example.com", "password1": "a fine long secret", "password2": "another long secret"},
    )

    source = page.content.decode()
    assert '<ul class="field__errors" id="id_password2_error">' in source
    assert re.search(r'<input[^>]*name="password2"[^>]*aria-describedby="id_password2_error"', source)
    assert re.search(r'<input[^>]*name="password2"[^>]*aria-invalid="true"', source)
    assert User.objects.count() == 0


def test_sign_in_with_a_wrong_password_says_so_above_the_form(client: Client, ann: User) -> None:
    page = client.post(reverse("account_login"), {"login": ann.email, "password": "wrong"})

    assert page.status_code == 200
    assert "the password isn't right" in alerts(page)
    assert "<title>Error: Sign In" in markup(page)


def test_sign_in_and_out_changes_what_the_header_offers(client: Client, ann: User) -> None:
    client.post(reverse("account_login"), {"login": ann.email, "password": PASSWORD})
    assert "$100.00" in text(client.get("/"))

    client.post(reverse("account_logout"))

    assert "Sign in" in text(client.get("/"))
    assert "$100.00" not in text(client.get("/"))


def test_sign_in_too_often_says_what_to_do(client: Client, ann: User) -> None:
    for _attempt in range(40):
        page = client.post(reverse("account_login"), {"login": ann.email, "password": "wrong"})
        if page.status_code == 429:
            break

    assert page.status_code in (200, 429)
    assert "Too many" in text(page)


def test_password_reset_by_letter_changes_the_password(client: Client, ann: User) -> None:
    client.post(reverse("account_reset_password"), {"email": ann.email})
    send_letters()

    link = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert link is not None
    form = client.get(link[1], follow=True)
    assert_formatted(form)
    client.post(form.redirect_chain[-1][0], {"password1": "quite another secret", "password2": "quite another secret"})
    ann.refresh_from_db()
    assert ann.check_password("quite another secret")


def test_second_factor_page_shows_a_code_to_scan_that_the_policy_allows(client: Client, ann: User) -> None:
    client.post(reverse("account_login"), {"login": ann.email, "password": PASSWORD})
    asks_again = client.get(reverse("mfa_activate_totp"), follow=True)
    assert_formatted(asks_again)

    page = client.post(asks_again.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)

    assert_formatted(page)
    assert 'class="qr-code" src="data:image/svg+xml' in page.content.decode()
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
