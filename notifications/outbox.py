"""News about what happened: written down with the change they tell of, sent a moment later, once and not too many.

The row is the outbox. A notice whose key is known is not written again; whoever sends one claims it first. By which
channels it goes its reader chose (`notifications/choices.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Min, Model, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.channels import CHANNELS, Channel, Line
from notifications.choices import Choices, choices_of, is_wanted, turned_off
from notifications.kinds import ASKED_FOR, BELL, MAIL, ORDERS, kind_named
from notifications.models import Notice
from notifications.wake_worker import wake_worker
from upstream.limits.time_left import is_over

__all__ = [
    "ASKED_FOR",
    "NotOurPath",
    "key_for",
    "send_again",
    "send_notices",
    "tell_admins",
    "tell_customer",
    "with_admin_page",
    "write_notices",
]

log = structlog.get_logger(__name__)

MAX_TRIES = 8
# Longer than any mail takes: a sender that died holds its notices no longer than this.
CLAIM = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=6)
# Beyond these, news wait and come together in one mail.
CUSTOMER_MAILS_PER_HOUR = 6
ADMIN_MAILS_PER_HOUR = 20
RECIPIENTS_AT_ONCE = 200  # of one round: the next one begins with the admins again
# What one digest is about: the rest waits for the next one, so that no mail is made of a whole year.
DIGEST_AT_ONCE = 5000
FAILURES_IN_A_ROW = 3
GATHER_SECONDS = 3  # what happens within this time reaches a customer in one mail


class NotOurPath(ValueError):
    """A notice was to lead to something else than a page of this shop."""


def tell_customer(
    user: User,
    key: str,
    subject: str,
    body: str,
    now: datetime | None = None,
    *,
    kind: str = ORDERS,
    url: str = "",
) -> None:
    """Tell a customer by the channels they want for this kind, once per `key`; part of the caller's transaction.

    `kind` is one of `notifications.kinds`; `url` the path of the page it is about. Raises NotOurPath.
    """
    created_at = now or timezone.now()
    write_notices([Notice(user=user, key=key, kind=kind, url=url, subject=subject, body=body, created_at=created_at)])


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
    """Put notices into the outbox with one statement; those whose key is known and unwanted ones change nothing.

    One more statement asks what customers chose, however many they are. Raises NotOurPath.
    """
    told = list(notices)
    choices = choices_of({notice.user_id for notice in told if notice.user_id is not None})
    rows = [row for notice in told for row in _rows(notice, choices.get(notice.user_id or 0, {}))]
    if rows:
        Notice.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.sent_at is None for row in rows):
        _wake_sender()


def send_notices(*, now: datetime | None = None) -> int:
    """Send what is due, all news of one recipient in one message; return how many messages left.

    Admins come first, then customers by how long their oldest news wait: however many there are for one of them, they
    are one message, and nobody waits behind them.
    """
    now = now or timezone.now()
    return sum(_send_by(channel, now) for channel in CHANNELS if channel.open_line is not None)


def send_again(notice_ids: Iterable[int]) -> int:
    """Put notices back into the outbox, sent or given up; return how many. What is only in the bell is there."""
    leaving = Notice.objects.filter(pk__in=list(notice_ids)).exclude(channel=BELL)
    again = leaving.update(sent_at=None, tries=0, not_before=None)
    _wake_sender()
    return again


def _wake_sender() -> None:
    wake_worker("notifications.tasks.send_notices", gather_seconds=GATHER_SECONDS)


def _rows(notice: Notice, choices: Choices) -> list[Notice]:
    """Return the rows that tell this: one, which leaves by a channel and is in the bell, and one for each further."""
    if notice.url and not _is_path_of_ours(notice.url):
        raise NotOurPath(notice.url)
    notice.subject = " ".join(notice.subject.split())[:200]  # a line break would forge a header
    if notice.user is None:
        return [notice]
    kind = kind_named(notice.kind)
    ways = [one for one in CHANNELS if is_wanted(kind, one.name, choices) and one.works_for(notice.user)]
    leaving = [one.name for one in ways if one.open_line is not None]
    in_bell = any(one.name == BELL for one in ways)
    if not leaving:
        return [_row(notice, BELL, in_bell=True, sent_at=notice.created_at)] if in_bell else []
    first, *others = leaving
    return [_row(notice, first, in_bell=in_bell), *(_row(notice, name, in_bell=False) for name in others)]


def _row(notice: Notice, channel: str, *, in_bell: bool, sent_at: datetime | None = None) -> Notice:
    return Notice(
        user=notice.user,
        key=notice.key if channel in (MAIL, BELL) else key_for(notice.key, channel),
        kind=kind_named(notice.kind).name,
        channel=channel,
        in_bell=in_bell,
        url=notice.url,
        subject=notice.subject,
        body=notice.body,
        created_at=notice.created_at,
        sent_at=sent_at,
    )


def key_for(key: str, channel: str) -> str:
    """Return the key of the same news sent by a further channel."""
    return f"{key}@{channel}"


def _is_path_of_ours(url: str) -> bool:
    """Whether this is a path, and cannot be read as another site's address."""
    return url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable()


def _due(channel: Channel, now: datetime) -> QuerySet[Notice]:
    at_last = Q(not_before=None) | Q(not_before__lte=now)
    return Notice.objects.filter(at_last, channel=channel.name, sent_at=None, tries__lt=MAX_TRIES)


def _send_by(channel: Channel, now: datetime) -> int:
    recipients = _recipients(channel, now)
    if not recipients or channel.open_line is None:
        return 0
    try:
        line = channel.open_line()
    except Exception as error:  # each fails in its own way; nothing is claimed, so no try is used up
        log.warning("channel_away", channel=channel.name, error=str(error))
        return 0
    try:
        return _send_all(recipients, channel, line, now)
    finally:
        line.close()


def _recipients(channel: Channel, now: datetime) -> list[User | None]:
    """Return who has news that are due, None for the admins, in the order they are written to."""
    due = _due(channel, now)
    oldest = due.exclude(user=None).values("user").annotate(oldest=Min("id")).order_by("oldest")
    waiting = list(oldest.values_list("user", flat=True)[:RECIPIENTS_AT_ONCE])
    users = User.objects.in_bulk(waiting)
    customers: list[User | None] = [users[pk] for pk in waiting if pk in users]
    # Without admins theirs are shown at the admin as not sent, which is true.
    admins: list[User | None] = [None] if settings.ADMINS and due.filter(user=None).exists() else []
    return admins + customers


def _send_all(recipients: Sequence[User | None], channel: Channel, line: Line, now: datetime) -> int:
    sent = failures = 0
    for user in recipients:
        if is_over():
            break
        if user is not None:
            _forget_unwanted(user, channel, now)
        if _wait_for_the_hour(user, channel, now):
            continue
        claimed = _claim(user, channel, now)
        if not claimed:
            continue
        try:
            line.send(user, claimed)
        except Exception as error:  # each fails in its own way, and one address must not stop the others
            _try_later(claimed, now, error)
            line.close()  # it may be broken; the next message opens it again
            failures += 1
            if failures == FAILURES_IN_A_ROW:
                break
        else:
            Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(sent_at=now)
            sent, failures = sent + 1, 0
    return sent


def _forget_unwanted(user: User, channel: Channel, now: datetime) -> None:
    """Do not send what its reader has turned off since it was written; what is in the bell stays there."""
    unwanted = _due(channel, now).filter(user=user)
    if channel.works_for(user):
        off = turned_off(channel.name, choices_of([user.pk]).get(user.pk, {}))
        if not off:
            return
        unwanted = unwanted.filter(kind__in=off)
    # Both begin with what is due: a row that another sender has claimed meanwhile is left to it.
    unwanted.filter(in_bell=True).update(channel=BELL, sent_at=F("created_at"))
    unwanted.filter(in_bell=False).delete()


def _wait_for_the_hour(user: User | None, channel: Channel, now: datetime) -> bool:
    """Hold all notices of somebody who got enough messages within the hour; return whether they are held."""
    hour = timedelta(hours=1)
    limit = ADMIN_MAILS_PER_HOUR if user is None else CUSTOMER_MAILS_PER_HOUR
    sent = Notice.objects.filter(user=user, channel=channel.name, sent_at__gt=now - hour).order_by("sent_at")
    moments = list(sent.values_list("sent_at", flat=True).distinct()[:limit])  # one message's notices share a moment
    if len(moments) < limit or moments[0] is None:
        return False
    _due(channel, now).filter(user=user).update(not_before=moments[0] + hour)
    return True


def _claim(user: User | None, channel: Channel, now: datetime) -> list[Notice]:
    """Take the recipient's notices for ourselves: of two senders one gets each of them."""
    due = _due(channel, now)
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
