"""Whoever has stolen a session must not take the account with it."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, EmailChange
from accounts.security.email_changes import undo_url
from api.models import Webhook
from api.webhooks.operations import add_webhook
from notifications.letters import send_letters
from orders.models import GoodsReveal
from tests.conftest import PASSWORD
from tests.pages import HTMX, page_words
from tests.security.delivered import deliver
from tests.security.signing_in import HOOK, KEY, REAUTHENTICATE, confirm, is_signed_in, letters_to, link_in, sign_in
from tests.support.documents.terms import ticked

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivered(ann, service):
    """A finished order of Ann's that brought an account."""
    return deliver(ann, service)


# --- What a session may not do alone ----------------------------------------------------------------------------------
def test_every_act_that_takes_an_account_asks_for_the_password_first(thief, ann, delivered):
    key, _text = create_api_key(user=ann, name="mine")
    hook, _secret = add_webhook(user=ann, url="https://ann.example.com/hook")
    before = (key.key_sha256, hook.url, hook.secret_encrypted)
    EmailAddress.objects.create(user=ann, email="thief@example.com", verified=True)
    acts = [
        (reverse("account_email"), {"action_add": "", "email": "new@example.com"}),
        (reverse("account_email"), {"action_primary": "", "email": "thief@example.com"}),
        (reverse("account_email"), {"action_remove": "", "email": "thief@example.com"}),
        (reverse("api:keys"), KEY),
        (reverse("api:key", args=[key.pk]), {**KEY, "may_order": "on"}),
        (reverse("api:key_rotate", args=[key.pk]), {}),
        (reverse("api:key_rotate", args=[key.pk]) + "?keep=day", {}),
        (reverse("api:key_show", args=[key.pk]), {}),
        (reverse("api:webhooks"), HOOK),
        (reverse("api:webhook", args=[hook.pk]), HOOK),
        (reverse("api:webhook_rotate", args=[hook.pk]), {}),
        (reverse("api:webhook_delete", args=[hook.pk]), {}),
        (reverse("orders:goods", args=[delivered.pk]), {}),
        (reverse("orders:goods_file", args=[delivered.pk]), {}),
        (reverse("mfa_activate_totp"), {"code": "123456"}),
        (reverse("mfa_add_webauthn"), {"name": "mine", "credential": "{}"}),
        (reverse("mfa_generate_recovery_codes"), {}),
    ]

    for address, typed in acts:
        answer = thief.post(address, typed)
        assert (address, answer.status_code, answer["Location"][: len(REAUTHENTICATE)]) == (
            address,
            302,
            REAUTHENTICATE,
        )

    key.refresh_from_db()
    hook.refresh_from_db()
    assert (key.key_sha256, hook.url, hook.secret_encrypted) == before
    assert ApiKey.objects.count() == Webhook.objects.count() == 1
    assert set(ann.emailaddress_set.values_list("email", flat=True)) == {"ann@example.com", "thief@example.com"}
    assert GoodsReveal.objects.count() == Authenticator.objects.count() == 0


def test_a_password_is_changed_only_by_who_knows_the_old_one(thief, ann):
    new = {"oldpassword": "guessed", "password1": "quite another secret", "password2": "quite another secret"}

    thief.post(reverse("account_change_password"), new)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)

    ann.set_unusable_password()
    ann.save()
    Authenticator.objects.create(user=ann, type=Authenticator.Type.WEBAUTHN, data={})
    thief.force_login(ann)
    session = thief.session
    session["account_authentication_methods"] = []
    session.save()
    answer = thief.post(reverse("account_set_password"), {"password1": new["password1"], "password2": new["password2"]})
    ann.refresh_from_db()
    assert answer["Location"].startswith("/accounts/2fa/webauthn/reauthenticate/")
    assert not ann.has_usable_password()


def test_the_secret_of_a_webhook_is_not_on_its_page_until_the_password_is(thief, ann):
    hook, secret = add_webhook(user=ann, url="https://ann.example.com/hook")
    address = reverse("api:webhook", args=[hook.pk])
    page = thief.get(address).content.decode()
    assert secret not in page

    thief.post(REAUTHENTICATE, {"password": PASSWORD, "next": address})

    assert secret in thief.get(address).content.decode()


def test_goods_asked_for_by_htmx_lead_the_whole_page_to_the_password(thief, delivered):
    page = reverse("orders:detail", args=[delivered.pk])

    answer = thief.post(
        reverse("orders:goods", args=[delivered.pk]), headers={**HTMX, "HX-Current-URL": f"http://testserver{page}"}
    )

    assert answer["HX-Redirect"] == f"{REAUTHENTICATE}?next={page.replace('/', '%2F')}"
    assert "rosa" not in answer.content.decode()


# --- Mails ------------------------------------------------------------------------------------------------------------
def test_every_change_is_told_by_mail_with_when_and_from_where(thief, ann, delivered):
    confirm(thief, thief.post(reverse("api:keys"), KEY))
    thief.post(reverse("api:webhooks"), HOOK, REMOTE_ADDR="203.0.113.5")
    thief.post(reverse("orders:goods", args=[delivered.pk]))
    thief.post(reverse("orders:goods", args=[delivered.pk]))
    thief.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    thief.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "quite another secret", "password2": "quite another secret"},
    )

    told = letters_to("ann@example.com")

    assert [text.splitlines()[2] for text in told] == [
        "A new API key: robot.",
        "A new webhook: https://thief.example.com/hook",
        f"The goods of order #{delivered.pk} were opened.",  # once for a confirmation, however many follow
        "The email address new@example.com was added.",
        "Your password has been changed.",
    ]
    assert "From the address: 203.0.113.5" in told[1]
    assert all(f"http://testserver{reverse('account_security')}" in text for text in told)


def take_address(thief, ann) -> list[str]:
    """What a thief does who knows the password as well: the account gets another address."""
    thief.post(REAUTHENTICATE, {"password": PASSWORD, "next": reverse("account_email")})
    EmailAddress.objects.create(user=ann, email="thief@example.com", verified=True)
    thief.post(reverse("account_email"), {"action_primary": "", "email": "thief@example.com"})
    ann.refresh_from_db()
    assert ann.email == "thief@example.com"
    return letters_to("ann@example.com")


def test_a_changed_address_is_told_to_the_old_and_the_new_and_only_the_old_can_undo_it(thief, ann):
    [to_old] = take_address(thief, ann)
    [to_new] = letters_to("thief@example.com")

    assert "from ann@example.com to thief@example.com" in to_old
    assert "from ann@example.com to thief@example.com" in to_new
    assert "/undo/" in link_in(to_old)
    assert "/undo/" not in to_new


def test_the_old_address_hears_of_everything_for_three_days(thief, ann):
    take_address(thief, ann)
    mail.outbox.clear()

    thief.post(reverse("api:keys"), KEY)
    EmailChange.objects.update(changed_at=timezone.now() - timedelta(hours=73))
    thief.post(reverse("api:keys"), {**KEY, "name": "later"})

    assert [text.splitlines()[2] for text in letters_to("ann@example.com")] == ["A new API key: robot."]
    assert len(letters_to("thief@example.com")) == 2


def test_undoing_puts_the_address_back_and_the_thief_out(thief, ann, client):
    create_api_key(user=ann, name="before")
    [letter] = take_address(thief, ann)
    thief.post(reverse("api:keys"), KEY)
    thief.post(reverse("api:webhooks"), HOOK)
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": "thief"})
    owner = Client()
    link = link_in(letter)
    assert "becomes ann@example.com again" in page_words(owner.get(link))

    answer = owner.post(link, follow=True)

    assert "Change Password" in page_words(answer)
    form = answer.redirect_chain[-1][0]
    owner.post(form, {"password1": "quite another secret", "password2": "quite another secret"})
    ann.refresh_from_db()
    assert (ann.email, ann.check_password("quite another secret")) == ("ann@example.com", True)
    assert [(row.email, row.primary, row.verified) for row in EmailAddress.objects.all()] == [
        ("ann@example.com", True, True)
    ]
    assert not is_signed_in(thief)
    assert not ApiKey.objects.alive(timezone.now()).exists()
    assert Webhook.objects.get().disabled_at is not None
    assert Authenticator.objects.count() == 0
    assert sign_in(Client(), ann, password=PASSWORD).status_code == 200  # the password the thief knew


def test_undoing_works_once_and_for_three_days_and_with_no_made_up_link(thief, ann):
    [letter] = take_address(thief, ann)
    link = link_in(letter)
    change = EmailChange.objects.get()
    EmailChange.objects.update(changed_at=change.changed_at - timedelta(hours=73))
    assert Client().post(link).status_code == 410
    EmailChange.objects.update(changed_at=change.changed_at)
    assert Client().post(link[:-2] + "x/").status_code == 410
    assert Client().post(link).status_code == 302

    assert Client().post(link).status_code == 410


def test_undoing_a_first_change_ends_the_links_of_later_ones(thief, ann):
    [letter] = take_address(thief, ann)
    EmailAddress.objects.create(user=ann, email="second@example.com", verified=True)
    thief.post(reverse("account_email"), {"action_primary": "", "email": "second@example.com"})
    # A link of the thief's own would put their address back; one from before such were left out ends as well.
    assert not any("/undo/" in text for text in letters_to("thief@example.com"))
    later = EmailChange.objects.get(old_email="thief@example.com")
    EmailChange.objects.update(undone_at=None)
    Client().post(link_in(letter))

    assert Client().post(undo_url(later).removeprefix("http://testserver")).status_code == 410
    ann.refresh_from_db()
    assert ann.email == "ann@example.com"


def test_nobody_else_can_take_the_old_address_meanwhile(thief, ann):
    [letter] = take_address(thief, ann)

    thief.post(reverse("account_email"), {"action_remove": "", "email": "ann@example.com"})
    typed = {
        "email": "ann@example.com",
        "password1": "quite another secret",
        "password2": "quite another secret",
    } | ticked()
    Client().post(reverse("account_signup"), typed)

    assert EmailAddress.objects.get(email="ann@example.com").user == ann
    assert Client().post(link_in(letter)).status_code == 302


# --- Sessions ---------------------------------------------------------------------------------------------------------
def test_the_list_of_sessions_says_device_and_place_and_ends_each(thief, ann):
    owner = Client()
    sign_in(owner, ann, address="203.0.113.9")

    page = page_words(owner.get(reverse("account_security")))
    assert "Firefox, Windows This browser 203.0.113.9 (203.0.113.0/24)" in page
    assert "198.51.100.7 (198.51.100.0/24)" in page

    other = UserSession.objects.get(ip="198.51.100.7")
    owner.post(reverse("end_session", args=[other.pk]))
    assert (is_signed_in(thief), is_signed_in(owner)) == (False, True)


def test_sessions_do_not_pile_up(thief, ann, monkeypatch):
    monkeypatch.setattr("accounts.security.sessions.MOST_SESSIONS", 3)
    later = [Client() for _session in range(3)]
    for browser in later:
        sign_in(browser, ann)

    assert [is_signed_in(browser) for browser in (thief, *later)] == [False, True, True, True]


def test_somebody_elses_session_cannot_be_ended(thief, ann, ben):
    stranger = Client()
    sign_in(stranger, ben)

    stranger.post(reverse("end_session", args=[UserSession.objects.get(user=ann).pk]))

    assert is_signed_in(thief)


@pytest.mark.parametrize("here_too", [False, True])
def test_signing_out_everywhere_ends_every_session_also_one_that_no_list_knows(thief, ann, here_too):
    owner, unlisted = Client(), Client()
    sign_in(owner, ann)
    unlisted.force_login(ann)

    owner.post(reverse("sign_out_everywhere"), {"here": "too"} if here_too else {})

    assert [is_signed_in(thief), is_signed_in(unlisted), is_signed_in(owner)] == [False, False, not here_too]
    if not here_too:
        assert "This browser" in page_words(owner.get(reverse("account_security")))


def test_after_a_password_change_others_are_out_and_keys_can_be_revoked_at_once(thief, ann):
    create_api_key(user=ann, name="mine")
    owner = Client()
    sign_in(owner, ann)
    new = {"oldpassword": PASSWORD, "password1": "quite another secret", "password2": "quite another secret"}

    page = owner.post(reverse("account_change_password"), new, follow=True)

    assert page.redirect_chain[-1][0] == reverse("account_security")
    assert "Revoke all keys" in page_words(page)
    assert "Sign out everywhere" in page_words(page)
    assert (is_signed_in(thief), is_signed_in(owner)) == (False, True)
    owner.post(reverse("revoke_all_keys"))
    assert not ApiKey.objects.alive(timezone.now()).exists()


@pytest.mark.parametrize(("setting", "passed"), [("STAFF_SESSION_SECONDS", 3601), ("STAFF_SESSION_IDLE_SECONDS", 601)])
def test_a_session_of_staff_is_short_and_one_of_a_customer_is_not(client, sam, ann, settings, setting, passed):
    settings.STAFF_SESSION_SECONDS, settings.STAFF_SESSION_IDLE_SECONDS = 3600, 600
    staff, customer = Client(), Client()
    for browser, user in ((staff, sam), (customer, ann)):
        sign_in(browser, user)
        assert is_signed_in(browser)
        session = browser.session
        marks = ("signed_in_at", "seen_at") if setting == "STAFF_SESSION_SECONDS" else ("seen_at",)
        for mark in marks:
            session[mark] -= passed
        if setting == "STAFF_SESSION_SECONDS":
            session["seen_at"] += passed  # in use until now
        session.save()

    assert (is_signed_in(staff), is_signed_in(customer)) == (False, True)
    assert re.fullmatch(r"/accounts/login/\?next=/account/", staff.get(reverse("account"))["Location"])


def test_letters_are_kept_encrypted_until_they_leave_and_not_after(client, ann):
    from notifications.models import Letter

    client.post(reverse("account_reset_password"), {"email": ann.email})
    [row] = Letter.objects.all()
    assert "http" not in row.body_encrypted

    assert send_letters() == 1
    assert Letter.objects.count() == 0
