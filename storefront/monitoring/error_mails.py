"""Errors are mailed to ADMIN_EMAILS by a worker: one mail a kind of error in ten minutes, the others are counted.

A thread of its own hands them over, so that no visitor waits for Redis or a mail server. While the broker is away that
thread sends the mail itself: then above all the admins want to know.
"""

import hashlib
import logging
import os
import threading
import time
import traceback
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins
from django.http import UnreadablePostError
from django.utils.log import AdminEmailHandler

log = structlog.get_logger(__name__)
PERIOD_SECONDS = 600
# Of one process: writing a report takes time, and for the rest of a minute an error of the same kind is only counted.
REPORT_AGAIN_SECONDS = 60
# Whoever finds many ways to break something fills no mailbox.
MAX_KINDS = 20
LONGEST_MESSAGE = 100_000
MAIL, MAIL_COUNT = "storefront.tasks.mail_error", "storefront.tasks.mail_error_count"


class Report(NamedTuple):
    """An error on its way; without a message it is only counted."""

    kind: str
    subject: str = ""
    message: str = ""


class ErrorMailHandler(AdminEmailHandler):
    """Reports an error as Django does, through `Carrier`. What a visitor who hangs up causes is no error of ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._carrier = Carrier()
        self._reported_at: dict[str, float] = {}
        self._own = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if not settings.ADMINS or getattr(self._own, "kind", None) or _hung_up(record):
            return
        kind, now = kind_of(record), time.monotonic()
        if now - self._reported_at.get(kind, -REPORT_AGAIN_SECONDS) < REPORT_AGAIN_SECONDS:
            self._carrier.carry(Report(kind))
            return
        if len(self._reported_at) > 10 * MAX_KINDS:
            self._reported_at.clear()
        self._reported_at[kind] = now
        self._own.kind = kind  # an error while this one is reported must not be reported in turn
        try:
            super().emit(record)
        finally:
            self._own.kind = ""

    def send_mail(self, subject: Any, message: Any, *args: Any, **kwargs: Any) -> None:
        """Hand the report over; nobody waits."""
        self._carrier.carry(Report(self._own.kind, str(subject)[:300], str(message)[:LONGEST_MESSAGE]))


def kind_of(record: logging.LogRecord) -> str:
    """Return a name for errors of one kind: what was raised and where, or who logged what from which line."""
    where: tuple[Any, ...] = (record.pathname, record.lineno)
    if record.exc_info and record.exc_info[0]:
        frames = traceback.extract_tb(record.exc_info[2])
        where = (record.exc_info[0].__qualname__, *(frames[-1][:2] if frames else where))
    return hashlib.sha256(repr((record.name, where)).encode()).hexdigest()[:16]


class Carrier:
    """The thread that hands reports over; started at the first, so that a server that forks has one in every child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_in = 0
        self._reports: SimpleQueue[Report] = SimpleQueue()

    def carry(self, report: Report) -> None:
        """Let the admins hear of this soon; returns at once and raises nothing."""
        with self._lock:
            if self._started_in != os.getpid():
                self._reports = SimpleQueue()
                threading.Thread(target=self._run, args=[self._reports], name="error-mails", daemon=True).start()
                self._started_in = os.getpid()
        self._reports.put(report)

    def _run(self, reports: "SimpleQueue[Report]") -> None:
        while True:
            try:
                hand_over(reports.get())
            except Exception as error:  # whatever fails here, the error itself is in the log
                log.warning("error_not_mailed", error=str(error))


def hand_over(report: Report) -> None:
    """Give a report to a worker if it is the first of its kind in this period; else count it."""
    if not report.message or not _begins_a_period(report.kind):
        _count_more(report.kind)
        return
    told = {"kind": report.kind, "subject": report.subject}
    try:
        current_app.send_task(MAIL, kwargs={"subject": report.subject, "message": report.message}, retry=False)
        current_app.send_task(MAIL_COUNT, kwargs=told, retry=False, countdown=PERIOD_SECONDS)
    except Exception as error:  # a broker fails in many ways
        log.warning("error_mailed_without_a_worker", error=str(error))
        send_error_mail(subject=report.subject, message=report.message)


def send_error_mail(*, subject: str, message: str) -> None:
    """Mail the admins; a mail server that is away is no reason for the next error."""
    try:
        mail_admins(subject, message)
    except Exception as error:  # each backend fails in its own way
        log.warning("error_mail_not_sent", subject=subject, error=str(error))


def send_count(*, kind: str, subject: str) -> None:
    """At the end of a period mail how many more came, if any did, and begin the next one."""
    more = cache.get(_more(kind)) or 0
    if not more:
        return
    cache.delete(_more(kind))
    cache.set(_period(kind), 1, PERIOD_SECONDS)
    minutes = PERIOD_SECONDS // 60
    send_error_mail(
        subject=f"{subject} (and {more} more)", message=f"And {more} more of the same kind within {minutes} minutes."
    )
    with suppress(Exception):  # the broker is away: the next error of the kind is mailed after this period
        told = {"kind": kind, "subject": subject}
        current_app.send_task(MAIL_COUNT, kwargs=told, retry=False, countdown=PERIOD_SECONDS)


def _begins_a_period(kind: str) -> bool:
    if not cache.add(_period(kind), 1, PERIOD_SECONDS):
        return False
    cache.add("error-mails:kinds", 0, PERIOD_SECONDS)
    try:
        return (cache.incr("error-mails:kinds") or 0) <= MAX_KINDS
    except ValueError:  # it ran out just now
        return True


def _count_more(kind: str) -> None:
    cache.add(_more(kind), 0, 2 * PERIOD_SECONDS)
    with suppress(ValueError):  # it ran out just now
        cache.incr(_more(kind))


def _period(kind: str) -> str:
    return f"error-mails:period:{kind}"


def _more(kind: str) -> str:
    return f"error-mails:more:{kind}"


def _hung_up(record: logging.LogRecord) -> bool:
    return bool(record.exc_info and record.exc_info[0] and issubclass(record.exc_info[0], UnreadablePostError))
