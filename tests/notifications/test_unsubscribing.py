"""Turning mails off from a mail: by a person, by a mail program, and by nobody who guesses."""

import re
from email.header import decode_header

import pytest
from django.core import mail
from django.core.signing import Signer
from django.test import Client

from accounts.models import User
from notifications.choices import choices_of, turned_off
from notifications.kinds import BELL, KINDS, MAIL, ORDERS, PRICES, STOCK
from notifications.letters import send_letters, write_letter
from notifications.models import NoticeChoice
from notifications.outbox import send_notices, tell_admins, tell_customer
from notifications.unsubscribing import SALT, unsubscribe_url
from tests.pages import page_words

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def program() -> Client:
    """A mail program: no cookies, no token of a form, and Django's checks as in production."""
    return Client(enforce_csrf_checks=True)


def path_of(url: str) -> str:
    return url.removeprefix("http://testserver").removeprefix("https://shop.example")


def off(user: User) -> set[str]:
    """The kinds that used to come by mail and no longer do."""
    usual = set(turned_off(MAIL, {}))
    return set(turned_off(MAIL, choices_of([user.pk]).get(user.pk, {}))) - usual


def told(user: User, *kinds: str) -> mail.EmailMessage:
    for kind in kinds:
        tell_customer(user, kind, f"About {kind}", "Body", kind=kind)
    send_notices()
    return mail.outbox[-1]


# --- The headers ------------------------------------------------------------------------------------------------------
def test_mail_when_it_is_news_then_its_headers_are_those_of_rfc_8058_and_turn_off_just_that(
    ann, ben, program, settings
) -> None:
    settings.SITE_URL = "https://shop.example"
    settings.ALLOWED_HOSTS = ["shop.example"]

    message = told(ann, ORDERS).message()

    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(https://shop\.example/\S+)>", str(decode_header(message["List-Unsubscribe"])[0][0]))
    assert address is not None
    answer = program.post(path_of(address[1]), ONE_CLICK, HTTP_HOST="shop.example", secure=True)
    assert (answer.status_code, answer.cookies) == (200, {})
    assert (off(ann), off(ben)) == ({ORDERS}, set())
    assert BELL not in set(NoticeChoice.objects.values_list("channel", flat=True))


def test_mail_when_it_is_about_several_kinds_then_each_has_its_way_out_and_the_header_means_all_of_them(
    ann, program
) -> None:
    message = told(ann, ORDERS, STOCK)

    ways = re.findall(r"“([^”]+)”: (http\S+)", message.body)
    assert [kind for kind, _url in ways] == ["Orders", "Back in stock"]
    for text in (message.body, message.alternatives[0][0]):
        for _kind, url in ways:
            assert url in text
    program.post(path_of(ways[1][1]))
    assert off(ann) == {STOCK}

    program.post(path_of(message.extra_headers["List-Unsubscribe"][1:-1]), ONE_CLICK)
    assert off(ann) == {ORDERS, STOCK}


def test_mail_when_the_shop_has_no_tls_then_no_press_is_offered(ann) -> None:
    assert "List-Unsubscribe-Post" not in told(ann, ORDERS).extra_headers


def test_mail_when_it_is_a_letter_or_for_admins_then_there_is_no_way_out(settings) -> None:
    settings.ADMINS = [("Admin", "boss@example.com")]
    write_letter(address="ann@example.com", subject="Your new password", body="Here.")
    tell_admins("k", "Something", "Body")
    send_letters()
    send_notices()

    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert not [name for name in message.extra_headers if name.startswith("List-")]
        assert "unsubscribe" not in message.body + message.alternatives[0][0]


# --- The page ---------------------------------------------------------------------------------------------------------
def test_unsubscribe_when_it_is_only_looked_at_then_nothing_changes(ann, client) -> None:
    path = path_of(unsubscribe_url(ann, [ORDERS]))

    for _look in range(2):
        assert "You will get no more emails of this kind: Orders" in page_words(client.get(path))
        assert client.head(path).status_code == 200
    assert off(ann) == set()

    page = client.post(path)
    assert "Done." in page_words(page)
    assert ann.email not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    client.post(path)  # a second press
    assert off(ann) == {ORDERS}
    assert NoticeChoice.objects.count() == 1


def test_unsubscribe_when_somebody_else_is_signed_in_then_it_is_still_its_readers(ann, ben, client) -> None:
    client.force_login(ben)

    client.post(path_of(unsubscribe_url(ann, [ORDERS])))

    assert (off(ann), off(ben)) == ({ORDERS}, set())


def test_unsubscribe_when_mails_waited_then_they_are_not_sent(ann, program) -> None:
    tell_customer(ann, "k", "Subject", "Body", kind=ORDERS)

    program.post(path_of(unsubscribe_url(ann, [ORDERS])), ONE_CLICK)

    assert send_notices() == 0
    assert mail.outbox == []


def test_unsubscribe_when_the_account_is_gone_then_nothing_is_written_and_nothing_said(ann, program) -> None:
    path = path_of(unsubscribe_url(ann, [ORDERS]))
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert program.post(path, ONE_CLICK).status_code == 200
    assert not NoticeChoice.objects.exists()


# --- Attacked ---------------------------------------------------------------------------------------------------------
def test_unsubscribe_when_the_address_is_made_up_then_nothing_changes(ann, ben, program) -> None:
    token = path_of(unsubscribe_url(ann, [ORDERS])).split("/")[-2]
    signature = token.rpartition("~")[2]
    made_up = [
        f"{ben.pk}.orders~{signature}",
        f"{ann.pk}.stock~{signature}",
        f"{ann.pk}.orders-stock~{signature}",
        f"{ann.pk}.orders~{signature[:-1]}",
        f"{ann.pk}.orders~",
        f"{ann.pk}.orders",
        Signer(salt="another", sep="~").sign(f"{ann.pk}.orders"),
        Signer(key="another", salt=SALT, sep="~").sign(f"{ann.pk}.orders"),
        # Signed by us, for what there is not.
        Signer(salt=SALT, sep="~").sign(f"{ann.pk}.security"),
        Signer(salt=SALT, sep="~").sign(f"{ann.pk}.nonsense"),
        Signer(salt=SALT, sep="~").sign("nobody"),
        "x" * 500,
        "%00",
    ]

    for token in made_up:
        for ask in (program.get, program.post):
            answer = ask(f"/notices/unsubscribe/{token}/")
            assert (token, answer.status_code) == (token, 404)

    assert not NoticeChoice.objects.exists()


def test_unsubscribe_when_the_secret_key_was_changed_then_old_mails_still_work(ann, program, settings) -> None:
    path = path_of(unsubscribe_url(ann, [ORDERS]))
    old = settings.SECRET_KEY

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", []
    assert program.post(path, ONE_CLICK).status_code == 404
    settings.SECRET_KEY_FALLBACKS = [old]
    assert program.post(path, ONE_CLICK).status_code == 200

    assert off(ann) == {ORDERS}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.can_be_turned_off])
def test_unsubscribe_when_the_kind_can_be_turned_off_then_its_address_does_only_that(ann, program, kind) -> None:
    program.post(path_of(unsubscribe_url(ann, [kind])), ONE_CLICK)

    assert off(ann) == {kind} - {PRICES}  # which come by mail only to whoever asked for it
    assert list(NoticeChoice.objects.values_list("kind", "channel", "wanted")) == [(kind, MAIL, False)]


def test_unsubscribe_url_when_nothing_can_be_turned_off_then_there_is_none(ann) -> None:
    assert unsubscribe_url(ann, ["security"]) == ""
