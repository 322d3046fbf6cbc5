"""Mails about what happened: written down with the change they tell of, sent a moment later, once and not too many.

The row is the outbox. A notice whose key is known is not written again; whoever sends one claims it first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Min, Model, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from accounts.models import User
from notifications.models import Notice
from notifications.wake_worker import wake_worker
from preferences.face import STORE_NAME, SUPPORT_EMAIL

log = structlog.get_logger(__name__)

MAX_TRIES = 8
# Longer than any mail takes: a sender that died holds its notices no longer than this.
CLAIM = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=6)
# Beyond these, news wait and come together in one mail.
CUSTOMER_MAILS_PER_HOUR = 6
ADMIN_MAILS_PER_HOUR = 20
RECIPIENTS_AT_ONCE = 200  # of one round: the next one begins with the admins again
# More news than this in one mail are a digest, which has their subjects: nobody reads a hundred mails in one.
IN_FULL = 30
# Mail programs cut off what is longer than about 100 KB; so many lines stay well below that, whatever they say.
LISTED = 400
# What one digest is about: the rest waits for the next one, so that no mail is made of a whole year.
DIGEST_AT_ONCE = 5000
# Keys that begin so are news a customer asked for one by one: those come also to whoever wants no mail about orders.
ASKED_FOR = "asked:"
FAILURES_IN_A_ROW = 3
GATHER_SECONDS = 3  # what happens within this time reaches a customer in one mail


def tell_customer(user: User, key: str, subject: str, body: str, now: datetime | None = None) -> None:
    """Mail this to a customer who wants mail, once per `key`; part of the caller's transaction."""
    write_notices([Notice(user=user, key=key, subject=subject, body=body, created_at=now or timezone.now())])


def tell_admins(key: str, subject: str, body: str, now: datetime | None = None) -> None:
    """Mail this to ADMIN_EMAILS, once per `key`, which names the episode: a pause, an order, a drift.

    Part of the caller's transaction. Staff finds the notice at the admin as well.
    """
    write_notices([Notice(key=key, subject=subject, body=body, created_at=now or timezone.now())])


def with_admin_page(text: str, row: Model) -> str:
    """The text, and below it the address of the row's page at the admin."""
    page = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return f"{text}\n\n{settings.ADMIN_URL}{reverse(page, args=[row.pk])}"


def write_notices(notices: Iterable[Notice]) -> None:
    """Put notices into the outbox with one statement; those whose key is known and unwanted ones change nothing."""
    wanted = [notice for notice in notices if _wanted(notice)]
    for notice in wanted:
        notice.subject = " ".join(notice.subject.split())[:200]  # a line break would forge a header
    if wanted:
        Notice.objects.bulk_create(wanted, ignore_conflicts=True)
        _wake_sender()


def send_notices(*, now: datetime | None = None) -> int:
    """Send what is due, all news of one recipient in one mail; return how many mails left.

    Admins come first, then customers by how long their oldest news wait: however many there are for one of them, they
    are one mail, and nobody waits behind them.
    """
    now = now or timezone.now()
    recipients = _recipients(now)
    if not recipients:
        return 0
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:  # each backend fails in its own way; nothing is claimed, so no try is used up
        log.warning("mail_server_away", error=str(error))
        return 0
    try:
        return _send_all(recipients, connection, now)
    finally:
        connection.close()


def send_again(notice_ids: Iterable[int]) -> int:
    """Put notices back into the outbox, sent or given up; return how many."""
    again = Notice.objects.filter(pk__in=list(notice_ids)).update(sent_at=None, tries=0, not_before=None)
    _wake_sender()
    return again


def _wake_sender() -> None:
    wake_worker("notifications.tasks.send_notices", gather_seconds=GATHER_SECONDS)


def _wanted(notice: Notice) -> bool:
    user = notice.user
    return user is None or (user.is_active and (user.wants_mail or _asked_for(notice)))


def _asked_for(notice: Notice) -> bool:
    return notice.key.startswith(ASKED_FOR)


def _due(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.filter(Q(not_before=None) | Q(not_before__lte=now), sent_at=None, tries__lt=MAX_TRIES)


def _recipients(now: datetime) -> list[User | None]:
    """Return who has news that are due, None for the admins, in the order they are written to."""
    due = _due(now)
    oldest = due.exclude(user=None).values("user").annotate(oldest=Min("id")).order_by("oldest")
    waiting = list(oldest.values_list("user", flat=True)[:RECIPIENTS_AT_ONCE])
    users = User.objects.in_bulk(waiting)
    customers: list[User | None] = [users[pk] for pk in waiting if pk in users]
    # Without admins theirs are shown at the admin as not sent, which is true.
    admins: list[User | None] = [None] if settings.ADMINS and due.filter(user=None).exists() else []
    return admins + customers


def _send_all(recipients: Sequence[User | None], connection: BaseEmailBackend, now: datetime) -> int:
    sent = failures = 0
    for user in recipients:
        if user is not None:
            _forget_unwanted(user, now)
        if _wait_for_the_hour(user, now):
            continue
        claimed = _claim(user, now)
        if not claimed:
            continue
        try:
            _message(user, claimed, connection).send()
        except Exception as error:  # each backend fails in its own way, and one address must not stop the others
            _try_later(claimed, now, error)
            connection.close()  # it may be broken; the next message opens it again
            failures += 1
            if failures == FAILURES_IN_A_ROW:
                break
        else:
            Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(sent_at=now)
            sent, failures = sent + 1, 0
    return sent


def _forget_unwanted(user: User, now: datetime) -> None:
    """Delete what its reader has turned off since it was written."""
    if user.is_active and user.wants_mail:
        return
    due = _due(now).filter(user=user)
    unwanted = due.exclude(key__startswith=ASKED_FOR) if user.is_active else due
    unwanted.delete()


def _wait_for_the_hour(user: User | None, now: datetime) -> bool:
    """Hold all notices of somebody who got enough mails within the hour; return whether they are held."""
    hour = timedelta(hours=1)
    limit = ADMIN_MAILS_PER_HOUR if user is None else CUSTOMER_MAILS_PER_HOUR
    mails = Notice.objects.filter(user=user, sent_at__gt=now - hour).order_by("sent_at")
    moments = list(mails.values_list("sent_at", flat=True).distinct()[:limit])  # one mail's notices share a moment
    if len(moments) < limit or moments[0] is None:
        return False
    _due(now).filter(user=user).update(not_before=moments[0] + hour)
    return True


def _claim(user: User | None, now: datetime) -> list[Notice]:
    """Take the recipient's notices for ourselves: of two senders one gets each of them."""
    due = _due(now)
    with transaction.atomic():
        free = due.filter(user=user).select_for_update(skip_locked=True).order_by("id")
        notices = list(free[:DIGEST_AT_ONCE])
        ids = [notice.pk for notice in notices]
        # Also guarded by what makes them due, for SQLite knows no locks of rows.
        if due.filter(pk__in=ids).update(tries=F("tries") + 1, not_before=now + CLAIM) == len(ids):
            return notices
        transaction.set_rollback(True)
    return []


def _try_later(claimed: Sequence[Notice], now: datetime, error: Exception) -> None:
    by_tries: dict[int, list[int]] = defaultdict(list)
    for notice in claimed:
        by_tries[notice.tries + 1].append(notice.pk)
    for tries, ids in by_tries.items():
        wait = min(timedelta(minutes=4 ** (tries - 1)), LONGEST_WAIT)
        Notice.objects.filter(pk__in=ids).update(not_before=now + wait)
        given_up = tries >= MAX_TRIES
        log.warning("notices_not_sent", notice_ids=ids[:20], tries=tries, given_up=given_up, error=type(error).__name__)


def _told_in_full(notices: Sequence[Notice]) -> tuple[list[Notice], list[Notice]]:
    """Return the notices a mail tells in full, and those of which it only has the subject.

    What somebody asked for one by one comes in full first: a subject says too little of a price or a stock.
    """
    if len(notices) <= IN_FULL:
        return list(notices), []
    full = [notice for notice in notices if _asked_for(notice)][:IN_FULL]
    chosen = {notice.pk for notice in full}
    return full, [notice for notice in notices if notice.pk not in chosen]


def _message(user: User | None, notices: Sequence[Notice], connection: BaseEmailBackend) -> EmailMessage:
    with translation.override(settings.LANGUAGE_CODE if user is None else user.mail_language):
        subject = notices[0].subject
        if len(notices) > 1:
            words = ngettext("%(count)s update", "%(count)s updates", len(notices))
            subject = words % {"count": len(notices)}
        if user is None:
            template, to = "notifications/mail/to_admins.txt", [address for _name, address in settings.ADMINS]
        else:
            template, to = "notifications/mail/to_customer.txt", [user.email]
        full, listed = _told_in_full(notices)
        staffs_list = settings.ADMIN_URL + reverse("admin:notifications_notice_changelist")
        context = {
            "notices": full,
            "listed": listed[:LISTED],
            "more": max(len(listed) - LISTED, 0),
            "list_url": staffs_list if user is None else settings.SITE_URL + reverse("orders:list"),
            "several": len(notices) > 1,
            "about_orders": not all(map(_asked_for, notices)),
            "store_name": STORE_NAME.value,
            "support_email": SUPPORT_EMAIL.value,
            "account_url": settings.SITE_URL + reverse("account"),
            "admin_url": settings.ADMIN_URL + reverse("admin:index"),
        }
        return EmailMessage(
            subject=gettext("%(store)s: %(subject)s") % {"store": STORE_NAME.value, "subject": subject},
            body=render_to_string(template, context),
            to=to,
            connection=connection,
            headers={"Auto-Submitted": "auto-generated"},
        )
