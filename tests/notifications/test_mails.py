"""Mails as they leave: HTML beside the text, in their reader's language, leading nowhere but to the shop."""

import re

import pytest
from django.core import mail
from django.utils import timezone, translation

from accounts.models import User
from notifications.channels.mail.design import parts_of
from notifications.kinds import ORDERS, STOCK
from notifications.letters import reencrypt_letters, send_letters, write_letter
from notifications.models import Letter
from notifications.outbox import send_notices, tell_customer
from preferences.change import change_preferences
from preferences.face import ACCENT

pytestmark = pytest.mark.django_db


def html_of(message: mail.EmailMessage) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def sent(user: User, **told) -> mail.EmailMessage:
    tell_customer(user, "k", **{"subject": "Order #1 is complete", "body": "Body", **told})
    send_notices()
    return mail.outbox[-1]


def test_mail_when_it_is_sent_then_text_and_html_say_the_same(ann: User) -> None:
    body = "Followers & more\n\nYour order is complete, quantity: 1,000.\nSee http://testserver/orders/1/.\n\nhttp://testserver/orders/1/"

    message = sent(ann, body=body)

    assert message.body.startswith(f"{body}\n\n--\n")
    page = html_of(message)
    assert "Followers &amp; more" in page
    assert 'See <a class="link" href="http://testserver/orders/1/">http://testserver/orders/1/</a>.' in page
    assert re.search(r'<a class="button" href="http://testserver/orders/1/"[^>]*>Open</a>', page)
    assert "<h1" in page
    assert "prefers-color-scheme: dark" in page
    assert message.message().get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.message().get_payload()] == ["text/plain", "text/html"]


def test_mail_when_its_reader_reads_russian_then_both_parts_are_russian(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(language="ru")
    ann.refresh_from_db()

    message = sent(ann)

    assert '<html lang="ru">' in html_of(message)
    for text in (message.body, html_of(message)):
        assert "Есть вопросы?" in text
        assert "Questions?" not in text


def test_mail_when_words_of_others_are_hostile_then_they_are_words(ann: User) -> None:
    hostile = (
        "<img src=x onerror=alert(1)> http://evil.example/a http://testserver.evil.example/b http://testserver@evil.example/c"
        ' http://testserver/"onmouseover="x'
    )

    page = html_of(sent(ann, subject=f"{hostile[:90]}\r\nBcc: victim@example.com", body=hostile))

    assert "<img src=x" not in page
    assert "onmouseover=&quot;" in page or 'onmouseover="' not in page
    links = re.findall(r'href="([^"]*)"', page)
    assert [link for link in links if not link.startswith("http://testserver/")] == []


def test_mail_when_a_subject_has_line_breaks_then_there_is_no_other_header(ann: User) -> None:
    message = sent(ann, subject="First\r\nBcc: victim@example.com\n\nBody")

    assert message.recipients() == [ann.email]
    headers = message.message().as_string().split("\n\n")[0]
    assert not re.search(r"^Bcc:", headers, re.MULTILINE)


def test_mail_when_several_kinds_are_told_then_each_has_its_title(ann: User) -> None:
    tell_customer(ann, "a", "Order #1 is complete", "One.", kind=ORDERS)
    tell_customer(ann, "b", "Back in stock", "Two.", kind=STOCK)
    send_notices()

    page = html_of(mail.outbox[0])

    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", page) == ["Order #1 is complete", "Back in stock"]


def test_letter_when_it_is_sent_then_its_link_is_a_button_and_nothing_is_kept(ann: User) -> None:
    with translation.override("ru"):
        write_letter(address=ann.email, subject="Новый пароль", body="Вот ссылка:\n\nhttp://testserver/accounts/x/")
    assert reencrypt_letters() == 0

    assert send_letters() == 1

    [message] = mail.outbox
    assert message.body == "Вот ссылка:\n\nhttp://testserver/accounts/x/"
    page = html_of(message)
    assert '<html lang="ru">' in page
    assert re.search(r'<a class="button" href="http://testserver/accounts/x/"', page)
    assert not Letter.objects.exists()


def test_letter_of_the_version_before_when_it_has_no_language_then_it_leaves_in_the_shops(ann: User) -> None:
    write_letter(address=ann.email, subject="Hello", body="Body")
    Letter.objects.update(language="")

    assert send_letters() == 1
    assert '<html lang="en">' in html_of(mail.outbox[0])


def test_mail_when_the_owner_has_chosen_a_color_then_mails_wear_it(ann: User) -> None:
    change_preferences({ACCENT: "#7a1fa2"}, actor_id=None, actor="test", now=timezone.now())

    assert "background-color: #7a1fa2" in html_of(sent(ann, body="http://testserver/orders/1/"))


@pytest.mark.parametrize("address", ["http://testserver/a", "http://testserver/a?b=1&c=2"])
def test_parts_when_a_paragraph_is_an_address_of_ours_then_it_is_a_button(address: str) -> None:
    assert [part.url for part in parts_of(f"Text\n\n{address}\n\nhttp://evil.example/")] == ["", address, ""]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("To confirm, go to http://testserver/a", ["", "http://testserver/a"]),
        ("Put it back:\nhttp://testserver/a", ["", "http://testserver/a"]),
        ("$1.00 → $2.00\nhttp://testserver/a", [""]),  # one of many, which are links
        ("Go to http://testserver/a, or write to us.", [""]),
        ("To confirm, go to http://evil.example/a", [""]),
    ],
)
def test_parts_when_a_paragraph_ends_with_an_address_of_ours_then_that_is_a_button(text: str, urls: list[str]) -> None:
    assert [part.url for part in parts_of(text)] == urls


def test_mail_when_a_subject_is_one_long_word_then_it_breaks_instead_of_widening_the_mail(ann: User) -> None:
    page = html_of(sent(ann, subject="x" * 150))

    for element in ("h1", "p"):
        assert re.search(rf'<{element} [^>]*style="[^"]*overflow-wrap: anywhere', page), element
