"""Beat, of which any number may run: the one that holds the lease sends, and the others wait to take over.

Celery's own scheduler with a lease in front. celery-redbeat has one, too, but keeps the schedule itself in Redis, which
may be emptied here at any time; django-celery-beat has none. The lease may be lost with Redis as well: then two send
for some seconds, which does no harm, as a message only makes a worker look.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from celery.beat import PersistentScheduler
from celery.utils.time import maybe_make_aware
from django_redis import get_redis_connection

from storefront.background import pulse
from storefront.background.lease import Lease

log = structlog.get_logger(__name__)
LEASE_KEY, RUNS_KEY = "beat:lease", "beat:last_runs"
HOLDS_SECONDS, RENEW_SECONDS, ASK_AGAIN_SECONDS = 10.0, 3.0, 1.0


class OneBeat(PersistentScheduler):
    """Celery's scheduler, which sends only while the lease is its own.

    When each task was sent last is noted in Redis beside the file of its own, so that whoever takes over neither sends
    everything at once nor begins to count the day of a daily task anew.
    """

    max_interval = RENEW_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lease = Lease(LEASE_KEY, HOLDS_SECONDS)
        self._leads, self._asked_at, self._said = False, -RENEW_SECONDS, ""
        self._closed = False
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if it is for us to send; return in how many seconds to come again."""
        if self._closed:
            raise SystemExit  # we have been told to end, and whoever sent a message at that moment did not listen
        pulse.beat()
        if not self._may_send():
            return ASK_AGAIN_SECONDS
        return float(super().tick(*args, **kwargs))

    def close(self) -> None:
        """Write down what is known, and let another one take over at once. Raises nothing.

        Celery calls it where SIGTERM interrupts the program, which may be in the middle of writing the same file. An
        error would take the place of the end that follows, and end up in the log as a message that was not sent.
        """
        self._closed = True
        if self._leads:
            self._leads = False
            # Without Redis the lease ends by itself; a file that is one run older is made up for by what Redis knows.
            self._try("beat_runs_not_noted", self._note_runs)
            self._try("beat_lease_not_released", self._lease.release)
        self._try("beat_schedule_not_written", super().close)

    @staticmethod
    def _try(failed: str, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # the next step is still of use
            log.warning(failed, error=str(error))

    def _may_send(self) -> bool:
        if self._leads and time.monotonic() < self._asked_at + RENEW_SECONDS:
            return True
        self._asked_at = time.monotonic()
        try:
            leads = self._lease.take()
            if leads and not self._leads:
                self._go_on()
            elif leads:
                self._note_runs()
        except Exception as error:  # without Redis nothing could be sent either
            self._leads = False
            self._say("beat_without_redis", error=str(error))
        else:
            self._leads = leads
            self._say("beat_leads" if leads else "beat_waits", holder=self._lease.holder)
        return self._leads

    def _say(self, event: str, **told: str) -> None:
        if event != self._said:
            log.warning(event, **told) if "error" in told else log.info(event, **told)
            self._said = event

    def _go_on(self) -> None:
        """Take over from whoever sent before: each task counts from when it was sent last, by whomever."""
        now = datetime.now(UTC)
        for raw_name, raw_time in get_redis_connection("default").hgetall(RUNS_KEY).items():
            entry = self.schedule.get(raw_name.decode())
            sent_at = min(datetime.fromtimestamp(float(raw_time), UTC), now)  # a clock that was wrong puts nothing off
            # One that this beat has never sent counts from its own start, which is no time to go by.
            if entry and (not entry.total_run_count or maybe_make_aware(entry.last_run_at) < sent_at):
                entry.last_run_at = sent_at
        self._heap = None  # made anew of these times

    def _note_runs(self) -> None:
        """Note when each task was sent last, for whoever takes over."""
        runs = {
            name: maybe_make_aware(entry.last_run_at).timestamp()
            for name, entry in self.schedule.items()
            if entry.last_run_at
        }
        pipeline = get_redis_connection("default").pipeline()
        pipeline.delete(RUNS_KEY)
        if runs:
            pipeline.hset(RUNS_KEY, mapping=runs)
        pipeline.execute()
