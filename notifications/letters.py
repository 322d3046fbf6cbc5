"""Letters: mails about somebody's account itself, sent by a worker the moment they are written.

No page waits for a mail server, so that how long a page takes tells nobody whether an address is a customer's.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.utils import timezone, translation

from accounts.batches import delete_in_batches
from accounts.encryption import CannotDecrypt, decrypt, encrypt, reencrypt_column
from notifications.channels.mail.design import letter_page
from notifications.channels.mail.sending import MailLine
from notifications.models import Letter
from notifications.wake_worker import wake_worker
from upstream.limits.time_left import is_over

log = structlog.get_logger(__name__)

AT_ONCE = 200
# Longer than any mail takes: a sender that died holds its letter no longer than this.
CLAIM = timedelta(minutes=5)
# The links in them open nothing any more by then.
KEPT = timedelta(days=3)
LONGEST_WAIT = timedelta(hours=1)
FAILURES_IN_A_ROW = 3


def write_letter(*, address: str, subject: str, body: str, now: datetime | None = None) -> None:
    """Put a letter in the language that is active into the outbox; part of the caller's transaction."""
    now = now or timezone.now()
    Letter.objects.create(
        address=address,
        subject=" ".join(subject.split())[:200],  # a line break would forge a header
        body_encrypted=encrypt(body),
        language=translation.get_language() or "",
        created_at=now,
        not_before=now,
    )
    wake_worker("notifications.tasks.send_letters")


def send_letters(*, now: datetime | None = None) -> int:
    """Send what is due, oldest first; return how many left. Whoever sends one claims it first."""
    now = now or timezone.now()
    due = list(Letter.objects.filter(not_before__lte=now).order_by("id")[:AT_ONCE])
    if not due:
        return 0
    line = MailLine()
    sent = failures = 0
    for letter in due:
        if is_over():
            break
        claimed = Letter.objects.filter(pk=letter.pk, not_before=letter.not_before)
        if not claimed.update(not_before=now + CLAIM, tries=F("tries") + 1):
            continue
        try:
            message = letter_mail(
                letter.address, letter.subject, decrypt(letter.body_encrypted), language=letter.language
            )
            line.deliver(message)
        except Exception as error:  # each backend fails in its own way, and one address must not stop the others
            wait = min(timedelta(minutes=2**letter.tries), LONGEST_WAIT)
            Letter.objects.filter(pk=letter.pk).update(not_before=now + wait)
            log.warning("letter_not_sent", letter_id=letter.pk, tries=letter.tries + 1, error=type(error).__name__)
            line.close()
            failures += 1
            if failures == FAILURES_IN_A_ROW:
                break
        else:
            Letter.objects.filter(pk=letter.pk).delete()
            sent, failures = sent + 1, 0
    line.close()
    return sent


def letter_mail(address: str, subject: str, body: str, *, language: str) -> EmailMultiAlternatives:
    """Return a letter as the mail it is, which has no connection yet; it is framed in `language`.

    It offers no way out of letters: they are about the account itself.
    """
    message = EmailMultiAlternatives(subject, body, to=[address], headers={"Auto-Submitted": "auto-generated"})
    with translation.override(language or settings.LANGUAGE_CODE):
        message.attach_alternative(letter_page(subject, body), "text/html")
    return message


def clean_letters(*, now: datetime) -> int:
    """Delete letters that could not be sent until their links were of no use any more; return how many."""
    return delete_in_batches(Letter.objects.filter(created_at__lt=now - KEPT).order_by("id"))


def reencrypt_letters() -> int:
    """Encrypt what waits with the newest key; return how many letters. One that nobody can open is of no use."""
    count = 0
    for pk in Letter.objects.values_list("pk", flat=True).iterator():
        letter = Letter.objects.filter(pk=pk)
        try:
            count += reencrypt_column(letter, "body_encrypted")
        except CannotDecrypt:
            letter.delete()
    return count
