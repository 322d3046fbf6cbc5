"""Mails as their readers would get them, made of samples: nothing is written, and nothing is sent."""

from collections.abc import Sequence

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications.channels.mail.message import message_about
from notifications.kinds import SECURITY
from notifications.letters import letter_mail
from notifications.models import Notice
from notifications.samples import Sample, sample_named, samples

READER = "reader@example.com"
SEVERAL = "several"
SEVERAL_TITLE = _("Several pieces of news in one email")
AT_MOST = 4  # samples of different kinds that the mail about several is made of


def preview_of(name: str, language: str) -> EmailMultiAlternatives | None:
    """Return the mail of a sample, or of several in one, in a language of the shop; None where there is no such one."""
    reader = User(pk=0, email=READER, language=language)
    with translation.override(language):
        if name == SEVERAL:
            by_kind = {sample.kind: sample for sample in reversed(samples()) if sample.kind != SECURITY}
            return message_about(reader, _notices(list(by_kind.values())[::-1][:AT_MOST], reader))
        sample = sample_named(name)
        if sample is None:
            return None
        if sample.kind == SECURITY:
            subject, body = sample.make(reader)
            return letter_mail(READER, subject, body, language=language)
        return message_about(reader, _notices([sample], reader))


def _notices(shown: Sequence[Sample], reader: User) -> list[Notice]:
    made = [(sample, *sample.make(reader)) for sample in shown]
    now = timezone.now()
    return [
        Notice(user=reader, key=sample.name, kind=sample.kind, subject=subject, body=body, created_at=now)
        for sample, subject, body in made
    ]
