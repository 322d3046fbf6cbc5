"""Who comes into the admin, and what staff does with customers and keys."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.keys.api_keys import create_api_key
from accounts.models import CustomerGroup, User
from tests.accounts.opening import opens
from tests.conftest import PASSWORD, second_factor
from tests.security.factors import code

pytestmark = pytest.mark.django_db
INDEX = reverse("admin:index")


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def sign_in(client: Client, email: str, password: str = PASSWORD) -> str:
    """Follow the admin's own log-in address, send e-mail and password, and return where one ends up."""
    page = client.get(reverse("admin:login"), {"next": INDEX}, follow=True)
    form = {"login": email, "password": password, "next": INDEX}
    answer = client.post(page.redirect_chain[-1][0], form, follow=True)
    return answer.redirect_chain[-1][0] if answer.redirect_chain else ""


def test_login_when_staff_gives_email_password_and_code_then_the_admin_opens(sam: User, client: Client) -> None:
    second_factor(sam)

    asked = sign_in(client, "Sam@Example.com")

    assert client.post(asked, {"code": code()})["Location"] == INDEX
    assert client.get(INDEX).status_code == 200


def test_login_when_a_customer_signs_in_then_the_admin_stays_shut(ann: User, client: Client) -> None:
    sign_in(client, ann.email)

    assert client.get(INDEX, follow=True).status_code == 403


def test_login_when_the_password_is_wrong_often_then_the_right_one_has_to_wait(sam: User, client: Client) -> None:
    for _attempt in range(6):
        assert sign_in(client, sam.email, "wrong") == ""

    assert sign_in(client, sam.email) == ""
    assert "_auth_user_id" not in client.session


def test_login_when_somebody_posts_to_the_admins_own_form_then_nobody_is_let_in(sam: User, client: Client) -> None:
    client.post(reverse("admin:login"), {"username": sam.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def test_add_customer_when_staff_does_then_the_address_is_to_verify_and_the_password_to_be_chosen(desk: Client) -> None:
    desk.post(reverse("admin:accounts_user_add"), {"email": "New@Example.com", "password": "a fine long password"})

    user = User.objects.get(email="new@example.com")
    assert not user.has_usable_password()
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.primary, address.verified) == ("new@example.com", True, False)


def test_add_customer_when_the_address_is_taken_then_the_error_is_beside_it(desk: Client, ann: User) -> None:
    answer = desk.post(reverse("admin:accounts_user_add"), {"email": "ANN@example.com"})

    assert list(answer.context["adminform"].form.errors) == ["email"]
    assert User.objects.filter(email__iexact="ann@example.com").count() == 1


def change(desk: Client, user: User, **changed: object) -> None:
    form = {"email": user.email, "is_active": "on", **changed}
    answer = desk.post(reverse("admin:accounts_user_change", args=[user.pk]), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_change_customer_when_only_the_group_changes_then_the_address_stays_verified(desk: Client, ann: User) -> None:
    group = CustomerGroup.objects.create(name="Resellers", discount_percent=5)

    change(desk, ann, group=group.pk)

    ann.refresh_from_db()
    assert ann.group == group
    assert EmailAddress.objects.get(user=ann).verified


def test_change_customer_when_the_email_changes_then_the_old_address_is_gone(desk: Client, ann: User) -> None:
    change(desk, ann, email="Anna@example.com")

    assert list(EmailAddress.objects.filter(user=ann).values_list("email", "verified")) == [("anna@example.com", False)]


def test_change_customer_when_opened_then_the_balance_is_shown_and_not_editable(desk: Client, ann: User) -> None:
    page = desk.get(reverse("admin:accounts_user_change", args=[ann.pk]))

    assert "$100.00" in page.content.decode()
    assert "balance" not in page.context["adminform"].form.fields


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may edit customers and nothing else."""
    user = User.objects.create_user("clerk@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def test_change_customer_when_a_clerk_asks_for_more_power_then_it_is_not_given(
    client: Client, clerk: User, ann: User, sam: User
) -> None:
    client.force_login(clerk)

    change(client, ann, is_staff="on", is_superuser="on")
    own_page = client.post(reverse("admin:accounts_user_change", args=[clerk.pk]), {"is_superuser": "on"})
    his_page = client.post(reverse("admin:accounts_user_change", args=[sam.pk]), {"email": "x@example.com"})

    assert list(User.objects.filter(is_superuser=True)) == [sam]
    assert not User.objects.get(pk=ann.pk).is_staff
    assert (own_page.status_code, his_page.status_code) == (403, 403)


def test_second_factor_when_shown_then_its_secret_is_not(desk: Client, ann: User) -> None:
    factor = Authenticator.objects.create(user=ann, type="totp", data={"secret": "hidden-secret"})

    page = desk.get(reverse("admin:mfa_authenticator_change", args=[factor.pk]))

    assert (page.status_code, "hidden-secret" in page.content.decode()) == (200, False)


def test_revoke_when_confirmed_then_the_key_stops_and_asking_alone_does_not(desk: Client, ann: User) -> None:
    key, text = create_api_key(user=ann, name="robot")
    address = reverse("admin:accounts_apikey_revoke", args=[key.pk])

    assert desk.get(address).status_code == 200
    assert opens(text)
    desk.post(address, {"_form_submitted": "True"}, follow=True)

    assert not opens(text)
    again = desk.post(address, {"_form_submitted": "True"}, follow=True)
    assert [str(message) for message in again.context["messages"]] == ["This key was already revoked."]


def test_revoke_when_a_clerk_may_only_look_then_it_is_forbidden(client: Client, clerk: User, ann: User) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    key, text = create_api_key(user=ann, name="robot")
    client.force_login(clerk)

    answer = client.post(reverse("admin:accounts_apikey_revoke", args=[key.pk]), {"_form_submitted": "True"})

    assert answer.status_code == 403
    assert opens(text)


def test_verify_when_staff_vouches_for_an_address_then_it_opens_the_account(desk: Client, ann: User) -> None:
    EmailAddress.objects.update(verified=False)
    address = EmailAddress.objects.get(user=ann)

    desk.post(reverse("admin:account_emailaddress_changelist"), {"action": "verify", "_selected_action": [address.pk]})

    assert EmailAddress.objects.get(user=ann).verified


def test_verify_when_another_account_has_the_address_verified_then_it_is_refused_in_words(
    desk: Client, ann: User, ben: User
) -> None:
    second = EmailAddress.objects.create(user=ben, email=ann.email)

    answer = desk.post(
        reverse("admin:account_emailaddress_changelist"),
        {"action": "verify", "_selected_action": [second.pk]},
        follow=True,
    )

    second.refresh_from_db()
    assert not second.verified
    assert [str(message) for message in answer.context["messages"]] == [
        "ann@example.com already belongs to another account."
    ]
