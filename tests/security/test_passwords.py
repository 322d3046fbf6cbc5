"""Passwords that anybody would guess, and pages that would tell who is a customer."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import hashers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User, WrongTry
from notifications.models import Letter
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.security.signing_in import letters_to
from tests.support.documents.terms import ticked

pytestmark = pytest.mark.django_db
FINE = "a fine long secret"


def sign_up(client, email, password=FINE):
    return client.post(
        reverse("account_signup"), {"email": email, "password1": password, "password2": password} | ticked()
    )


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "Qwertyuiop",
        "iloveyou2024",
        "Password1234!",
        "P@ssw0rd2023",
        "sunshinesunshine",
        "football....",
        "new-customer@example.com",
        "NEW-CUSTOMER@example.com",
        "new-customer1",
        "storefront1",
        "Storefront!!",
    ],
)
def test_sign_up_with_a_password_everybody_tries_first_is_refused(client, password, settings):
    page = sign_up(client, "new-customer@example.com", password)

    assert page.status_code == 200
    assert 'id="id_password1_error"' in page.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("password", [FINE, "верный конь скрепка", "xk29-tulip-harbor", PASSWORD])
def test_sign_up_with_a_good_password_is_not_refused(client, password):
    assert sign_up(client, "new@example.com", password).status_code == 302


def test_a_breached_password_is_refused_by_our_list_and_not_only_by_djangos():
    only_ours = "sunshinesunshine"  # a word of the list, twice

    with pytest.raises(ValidationError) as refusal:
        validate_password(only_ours)

    assert [error.code for error in refusal.value.error_list] == ["password_breached"]


def test_a_reset_and_a_change_refuse_them_too(client, ann):
    client.force_login(ann)
    new = {"oldpassword": PASSWORD, "password1": "ann@example.com", "password2": "ann@example.com"}

    client.post(reverse("account_change_password"), new)
    client.post(reverse("account_change_password"), new | {"password1": "sunshine2024", "password2": "sunshine2024"})

    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


# --- Who is a customer ------------------------------------------------------------------------------------------------
class Work:
    """What an answer cost, without a clock: statements, hashed passwords, letters; and what it said."""

    def __init__(self, monkeypatch, ask, address):
        hashed = []
        hasher = type(hashers.get_hasher())
        encode = hasher.encode
        monkeypatch.setattr(hasher, "encode", lambda self, *values: hashed.append(1) or encode(self, *values))
        with CaptureQueriesContext(connection) as queries:
            answer = ask(Client(), address)
            where = answer["Location"] if answer.status_code == 302 else ""
        monkeypatch.undo()
        self.statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        self.hashed = len(hashed)
        self.letters = Letter.objects.filter(address=address).count()
        said = page_words(answer) if answer.status_code == 200 else ""
        self.said = (answer.status_code, where, said.replace(address, "ADDRESS"))


def ask_for_reset(client, address):
    return client.post(reverse("account_reset_password"), {"email": address})


def guess_password(client, address):
    return client.post(reverse("account_login"), {"login": address, "password": "guessed by somebody"})


@pytest.mark.parametrize(("ask", "letters", "hashed"), [(sign_up, 1, 1), (ask_for_reset, 1, 0), (guess_password, 0, 1)])
def test_pages_do_the_same_work_and_say_the_same_for_a_customers_address_and_for_nobodys(
    monkeypatch, ann, ask, letters, hashed
):
    customers, nobodys = (Work(monkeypatch, ask, address) for address in ("ann@example.com", "xyz@example.com"))

    assert (customers.letters, nobodys.letters) == (letters, letters)
    assert (customers.hashed, nobodys.hashed) == (hashed, hashed)
    assert customers.said == nobodys.said
    assert sorted(customers.statements) == sorted(nobodys.statements)


def test_signing_up_somebody_elses_address_and_signing_in_with_that_password_tells_nothing(client, ann):
    said = []
    for address in ("ann@example.com", "xyz@example.com"):
        sign_up(Client(), address)
        page = Client().post(reverse("account_login"), {"login": address, "password": FINE})
        said.append((page.status_code, page_words(page).replace(address, "ADDRESS")))

    assert said[0] == said[1]
    assert "isn't right" in said[0][1]
    assert User.objects.get(email="ann@example.com").check_password(PASSWORD)


def test_the_owner_of_the_address_hears_of_the_sign_up(client, ann):
    sign_up(client, "ann@example.com")

    [letter] = letters_to("ann@example.com")
    assert "an account using that email address already exists" in " ".join(letter.split())


def test_an_address_that_is_not_confirmed_yet_opens_nothing_but_gets_its_link_again(client):
    sign_up(client, "new@example.com")
    client.cookies.clear()
    Letter.objects.all().delete()
    from django.core.cache import cache

    cache.clear()  # three minutes later

    client.post(reverse("account_login"), {"login": "new@example.com", "password": FINE})

    [letter] = letters_to("new@example.com")
    assert "/confirm-email/" in letter
    assert client.get(reverse("account")).status_code == 302


def test_adding_somebody_elses_address_to_ones_account_tells_nothing(client, ann, ben):
    client.force_login(ben)
    said = [
        client.post(reverse("account_email"), {"action_add": "", "email": address}, follow=True)
        for address in ("ann@example.com", "xyz@example.com")
    ]

    assert [page.redirect_chain[-1][0] for page in said] == [reverse("account_email")] * 2
    assert not EmailAddress.objects.filter(user=ben, verified=True).exclude(email=ben.email).exists()
    assert WrongTry.objects.count() == 0
