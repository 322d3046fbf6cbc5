"""The first owner comes from the terminal and gets in while no mail leaves the shop."""

from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.conftest import PASSWORD
from tests.security.factors import sign_in_with_factor
from tests.security.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch, settings: Any) -> User:
    settings.BEGINS_CLOSED = True
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="Boss@example.com", interactive=False, verbosity=0)
    return User.objects.get()


def test_the_first_owner_is_let_in_without_a_mail_and_sets_up_a_factor_first(owner: User, client: Client) -> None:
    answer = sign_in(client, owner)

    assert answer.status_code == 302
    assert not mail.outbox
    assert client.get(reverse("admin:index"))["Location"] == reverse("mfa_index")
    assert client.get(reverse("admin:set_up"))["Location"] == reverse("mfa_index")
    assert client.get(reverse("mfa_index")).status_code == 200
    assert client.get(reverse("mfa_activate_totp")).status_code in (200, 302)


def test_with_the_factor_home_leads_to_the_set_up(owner: User, client: Client) -> None:
    sign_in_with_factor(client, owner)

    assert client.get(reverse("admin:set_up")).status_code == 200
    assert owner.emailaddress_set.get().verified


def test_a_second_owner_leaves_the_first_ones_address_alone(owner: User) -> None:
    owner.emailaddress_set.update(verified=False)

    call_command("createsuperuser", email="other@example.com", interactive=False, verbosity=0)

    assert not owner.emailaddress_set.get().verified
    assert User.objects.get(email="other@example.com").emailaddress_set.get().verified


def test_no_owner_comes_of_an_address_that_another_account_has_confirmed(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    ann.emailaddress_set.create(email="boss@example.com", verified=True)

    with pytest.raises(CommandError, match=r"further address of the account ann@example\.com, so no owner was created"):
        call_command("createsuperuser", email="Boss@example.com", interactive=False, verbosity=0)

    assert not User.objects.filter(is_superuser=True).exists()
