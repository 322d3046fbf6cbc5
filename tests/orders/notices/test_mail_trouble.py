"""The mail server refuses an address or is away, or who sends dies: nothing is lost, nothing is sent twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from accounts.models import User
from notifications.models import Notice
from notifications.outbox import (
    MAX_TRIES,
    send_again,
    send_notices,
    tell_customer,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class MoodyBackend(EmailBackend):
    """A mail server that refuses what is addressed to somebody, or everybody."""

    refused: tuple[str, ...] = ()
    attempts = 0

    def open(self) -> bool | None:
        if "*" in self.refused:
            raise ConnectionRefusedError("nobody there")
        return super().open()

    def send_messages(self, messages: Any) -> int:
        for message in messages:
            if set(message.to) & set(self.refused):
                type(self).attempts += 1
                raise OSError(f"{message.to} refused")
        return super().send_messages(messages)


@pytest.fixture
def moody(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[MoodyBackend]:
    settings.EMAIL_BACKEND = f"{__name__}.MoodyBackend"
    monkeypatch.setattr(MoodyBackend, "refused", ())
    monkeypatch.setattr(MoodyBackend, "attempts", 0)
    return MoodyBackend


@pytest.fixture(autouse=True)
def admins(settings: Any) -> None:
    settings.ADMINS = [("Admin", "boss@example.com")]


def test_send_notices_when_the_server_refuses_one_address_then_others_get_theirs_and_it_is_tried_later(
    ann: User, ben: User, moody: type[MoodyBackend]
) -> None:
    moody.refused = (ann.email,)
    tell_customer(ann, "a", "Subject", "Body")
    tell_customer(ben, "b", "Subject", "Body")
    now = timezone.now()

    assert send_notices(now=now) == 1
    assert send_notices(now=now + timedelta(seconds=50)) == 0
    assert moody.attempts == 1
    moody.refused = ()
    assert send_notices(now=now + timedelta(seconds=61)) == 1

    assert [message.to for message in mail.outbox] == [[ben.email], [ann.email]]


def test_send_notices_when_an_address_is_always_refused_then_gives_up_until_staff_sends_it_again(
    ann: User, moody: type[MoodyBackend]
) -> None:
    moody.refused = (ann.email,)
    tell_customer(ann, "a", "Subject", "Body")
    for days in range(2 * MAX_TRIES):
        send_notices(now=timezone.now() + days * DAY)
    assert moody.attempts == MAX_TRIES

    moody.refused = ()
    assert send_notices(now=timezone.now() + 99 * DAY) == 0
    send_again([Notice.objects.get().pk])

    assert send_notices() == 1


def test_send_notices_when_the_server_is_away_then_no_try_is_used_up(ann: User, moody: type[MoodyBackend]) -> None:
    moody.refused = ("*",)
    tell_customer(ann, "a", "Subject", "Body")

    assert send_notices() == 0

    notice = Notice.objects.get()
    assert (notice.tries, notice.not_before) == (0, None)


def test_send_notices_when_a_sender_died_then_another_one_takes_over_later(ann: User) -> None:
    tell_customer(ann, "a", "Subject", "Body")
    now = timezone.now()
    Notice.objects.update(tries=1, not_before=now + timedelta(minutes=10))  # what a claim leaves

    assert send_notices(now=now + timedelta(minutes=9)) == 0
    assert send_notices(now=now + timedelta(minutes=11)) == 1
