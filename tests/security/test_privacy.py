"""Nobody but its owner gets an account's data or has the account deleted, and the owner can take that back."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from accounts.security.email_changes import record_email_change
from privacy.deletion.sweep import delete_accounts
from privacy.exports.files import path_of
from privacy.exports.operations import prepare_exports
from privacy.models import AccountDeletion, DataExport
from tests.pages import HTMX, page_words
from tests.privacy.asking import much_later, prepared, with_privacy, without_money
from tests.security.delivered import LINE, deliver
from tests.security.signing_in import confirm, is_signed_in, letters_to, link_in, sign_in

pytestmark = pytest.mark.django_db
HOME, DELETE = "/account/privacy/", "/account/privacy/delete/"
State = AccountDeletion.State


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    with_privacy(settings, export_dir=tmp_path / "exports")


@pytest.fixture
def thief(client, ann):
    """A browser with Ann's session, which does not know her password."""
    sign_in(client, ann)
    return client


@pytest.fixture
def poor(ann):
    """Ann, with nothing in her wallet."""
    return without_money(ann)


def call(text: str, **asked) -> dict:
    answer = Client().post(reverse("api:v2"), {"key": text, "action": "balance", **asked})
    return answer.json()


def unchanged(user: User) -> bool:
    user.refresh_from_db()
    return user.is_active and not AccountDeletion.objects.exists()


# --- The download -----------------------------------------------------------------------------------------------------
def test_a_download_is_sent_to_its_owner_as_a_file_that_nobody_keeps(client, ann, service):
    deliver(ann, service)
    client.force_login(ann)
    assert "Prepare a download" in page_words(client.get(HOME))

    client.post(reverse("privacy:prepare"))
    assert "Being prepared" in page_words(client.get(HOME))
    prepare_exports(clock=timezone.now)
    answer = client.post(reverse("privacy:download", args=[DataExport.objects.get().pk]))

    body = b"".join(answer.streaming_content)
    assert LINE in ZipFile(BytesIO(body)).read("delivered_goods.json").decode()
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    # Nobody learns where it lies.
    assert path_of(DataExport.objects.get().file_name).stem not in str(answer.headers)


def test_a_download_of_somebody_else_does_not_exist(client, ann, ben):
    export = prepared(ann)
    client.force_login(ben)

    for method in (client.get, client.post):
        answer = method(reverse("privacy:download", args=[export.pk]))
        assert answer.status_code in (404, 405)
    assert "Download" not in page_words(client.get(HOME)).replace("Prepare a download", "").replace(
        "Download every", ""
    )
    assert Client().post(reverse("privacy:download", args=[export.pk])).status_code == 302


def test_a_stolen_session_gets_no_download_without_the_password(thief, ann, service):
    deliver(ann, service)
    export = prepared(ann)
    address = reverse("privacy:download", args=[export.pk])

    asked = thief.post(address)

    assert asked.status_code == 302
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not asked.streaming
    assert confirm(thief, asked)["Location"] == HOME  # the page of the file, where it is pressed again
    assert b"".join(thief.post(address).streaming_content)[:2] == b"PK"


def test_every_preparation_is_told_to_the_owner_and_to_the_address_before(thief, ann):
    record_email_change(ann, old_email="ann.before@example.com", new_email=ann.email, now=timezone.now())

    thief.post(reverse("privacy:prepare"))
    prepare_exports(clock=timezone.now)

    for address in (ann.email, "ann.before@example.com"):
        assert any("somebody else is signed in" in text for text in letters_to(address))


def test_a_download_that_is_over_is_gone(client, ann):
    export = prepared(ann)
    path_of(export.file_name).unlink()
    client.force_login(ann)

    assert client.post(reverse("privacy:download", args=[export.pk])).status_code == 404
    DataExport.objects.update(state="gone", file_name="")
    assert client.post(reverse("privacy:download", args=[export.pk])).status_code == 404


def test_a_name_leads_nowhere_else():
    for name in ("../shop.sqlite3", "/etc/passwd", "", "a/b.zip"):
        with pytest.raises(ValueError):  # noqa: PT011 - the name is all it says
            path_of(name)


def test_asking_again_is_refused_in_words(client, ann):
    client.force_login(ann)
    client.post(reverse("privacy:prepare"))

    again = client.post(reverse("privacy:prepare"), follow=True)
    prepare_exports(clock=timezone.now)
    tomorrow = client.post(reverse("privacy:prepare"), follow=True)

    assert "already being prepared" in page_words(again)
    assert "one download a day" in page_words(tomorrow)
    assert DataExport.objects.count() == 1


def test_progress_is_shown_live_and_without_scripts(client, ann):
    client.force_login(ann)
    client.post(reverse("privacy:prepare"))
    DataExport.objects.update(state="running", rows_total=2000, rows_done=500)

    page, part = client.get(HOME), client.get(HOME, headers=HTMX)

    assert "500 of 2,000" in page_words(page)
    assert "500 of 2,000" in page_words(part)
    assert b"hx-trigger" in part.content
    assert b"<html" not in part.content
    seen = part.content.decode().partition('"seen": "')[2].partition('"')[0]
    assert client.get(HOME, {"seen": seen}, headers=HTMX).status_code == 204
    prepare_exports(clock=timezone.now)
    DataExport.objects.update(state="ready", file_name="x.zip", ready_at=timezone.now())
    assert b"hx-trigger" not in client.get(HOME, {"seen": seen}, headers=HTMX).content


# --- The deletion -----------------------------------------------------------------------------------------------------
def test_looking_does_nothing(client, poor):
    client.force_login(poor)

    for address in (HOME, DELETE, f"{DELETE}?email={poor.email}"):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200
    for address in (reverse("privacy:prepare"), reverse("privacy:download", args=[1])):
        assert client.get(address).status_code == 405

    assert unchanged(poor)
    assert not DataExport.objects.exists()


def test_another_site_cannot_ask_for_it(poor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(poor)

    for address in (DELETE, reverse("privacy:prepare")):
        answer = client.post(address, {"email": poor.email}, headers={"origin": "https://evil.example.com"})
        assert answer.status_code == 403

    assert unchanged(poor)


def test_a_stolen_session_deletes_nothing_without_the_password(thief, poor):
    asked = thief.post(DELETE, {"email": poor.email})

    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert unchanged(poor)
    confirm(thief, asked)
    assert AccountDeletion.objects.get().state == State.PENDING


@pytest.mark.parametrize("typed", ["", "ben@example.com", "ann"])
def test_without_the_address_nothing_is_deleted(client, poor, typed):
    client.force_login(poor)

    answer = client.post(DELETE, {"email": typed})

    assert answer.status_code == 422
    assert "Type the email address" in page_words(answer)
    assert unchanged(poor)


def test_with_money_nothing_is_deleted_and_the_page_says_what_to_do(client, ann):
    client.force_login(ann)

    page = client.get(DELETE)
    answer = client.post(DELETE, {"email": ann.email})

    for shown in (page, answer):
        assert "Your balance is" in page_words(shown)
        assert "have it paid out" in page_words(shown)
    assert answer.status_code == 422
    assert unchanged(ann)


def test_staff_is_not_deleted_by_this_way(client, sam):
    client.force_login(sam)

    answer = client.post(DELETE, {"email": sam.email})

    assert answer.status_code == 422
    assert unchanged(sam)


def test_a_closed_account_buys_nothing_and_every_door_is_shut(client, poor):
    other = Client()
    other.force_login(poor)
    _key, text = create_api_key(user=poor, name="robot")
    assert "balance" in call(text)
    client.force_login(poor)

    client.post(DELETE, {"email": " ANN@example.com "})

    assert not is_signed_in(client)
    assert not is_signed_in(other)
    assert call(text).get("error")


def test_a_sign_in_leads_to_the_page_that_keeps_the_account(client, poor):
    client.force_login(poor)
    _key, text = create_api_key(user=poor, name="robot")
    client.post(DELETE, {"email": poor.email})

    led = sign_in(client, poor)
    page = client.get(led["Location"])
    assert "Keep my account" in page_words(page)
    assert not is_signed_in(client)
    assert client.post(led["Location"]).status_code == 302

    sign_in(client, poor)
    assert is_signed_in(client)
    assert "balance" in call(text)
    delete_accounts(now=much_later())
    assert EmailAddress.objects.filter(user=poor).exists()


def test_a_sign_in_with_a_wrong_password_tells_nothing(client, poor):
    client.force_login(poor)
    client.post(DELETE, {"email": poor.email})

    wrong = sign_in(client, poor, password="a wrong guess")
    strange = client.post(reverse("account_login"), {"login": "nobody@example.com", "password": "a wrong guess"})

    assert (wrong.status_code, strange.status_code) == (200, 200)
    assert b"/keep/" not in wrong.content


def test_the_link_in_the_mail_keeps_the_account_and_a_look_at_it_does_not(client, poor):
    client.force_login(poor)
    record_email_change(poor, old_email="ann.before@example.com", new_email=poor.email, now=timezone.now())
    client.post(DELETE, {"email": poor.email})
    [letter] = letters_to("ann.before@example.com")
    link = link_in(letter)

    visitor = Client()
    assert "Keep my account" in page_words(visitor.get(link))
    poor.refresh_from_db()
    assert not poor.is_active
    assert visitor.post(link).status_code == 302

    poor.refresh_from_db()
    assert poor.is_active
    assert visitor.get(link).status_code == visitor.post(link).status_code == 410
    assert "not be deleted" in " ".join(str(sent.subject) for sent in mail.outbox) or letters_to(poor.email)


def test_a_link_of_an_earlier_request_does_not_undo_a_later_one(client, poor):
    client.force_login(poor)
    client.post(DELETE, {"email": poor.email})
    first = sign_in(Client(), poor)["Location"]
    client.post(first)
    sign_in(client, poor)
    confirm(client, client.post(DELETE, {"email": poor.email}))
    assert AccountDeletion.objects.get().state == State.PENDING

    assert client.post(first).status_code == 410
    assert AccountDeletion.objects.get().state == State.PENDING


@pytest.mark.parametrize("token", ["1:x:y", "WzEsIngiXQ:1abc:zzz", "%00"])
def test_a_forged_link_does_nothing(client, poor, token):
    client.force_login(poor)
    client.post(DELETE, {"email": poor.email})

    assert client.post(f"/account/privacy/keep/{token}/").status_code == 410
    assert AccountDeletion.objects.get().state == State.PENDING


def test_after_the_deletion_there_is_no_way_back_in(client, poor):
    client.force_login(poor)
    _key, text = create_api_key(user=poor, name="robot")
    client.post(DELETE, {"email": poor.email})
    led = sign_in(client, poor)["Location"]

    delete_accounts(now=much_later())

    assert client.post(led).status_code == 410
    assert sign_in(client, poor).status_code == 200
    assert not is_signed_in(client)
    assert call(text).get("error")
    client.post(reverse("account_reset_password"), {"email": poor.email})
    poor.refresh_from_db()
    assert not poor.has_usable_password()
    assert not any("/accounts/password/reset/key/" in text for text in letters_to(poor.email))


def test_staff_sees_a_pending_deletion_on_the_customers_page(client, poor, sam):
    client.force_login(poor)
    client.post(DELETE, {"email": poor.email})
    client.force_login(sam)

    page = client.get(reverse("admin:accounts_user_change", args=[poor.pk]))

    client.post(reverse("admin:accounts_user_change", args=[poor.pk]), {"email": poor.email, "is_active": "on"})

    poor.refresh_from_db()
    assert not poor.is_active  # its owner has closed it, and may open it again
    due = AccountDeletion.objects.get().due_at
    assert due - timezone.now() > timedelta(days=13)
    assert "Pending, due" in page_words(page)
