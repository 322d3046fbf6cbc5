"""Long work of staff: every step whole or not at all, no row twice, whoever dies or interferes."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerGroup, User
from jobs import kinds, run
from jobs.kinds import NotDone, Row, Rows, chosen, declare
from jobs.models import JobFilePart, StaffJob
from jobs.operations import ask_for, stop
from jobs.retention import FILES_KEPT, ROWS_KEPT, clean_jobs
from jobs.run import CLAIM, MAX_TRIES, run_jobs
from jobs.tasks import run_jobs as task

pytestmark = pytest.mark.django_db(transaction=True)
State = StaffJob.State


class Writes(Rows):
    """Adds a group for each row; what a row's key says may go wrong with it."""

    name, permission = "writes", "accounts.change_customergroup"
    before: Callable[[Any], None] = staticmethod(lambda _key: None)

    def do(self, job: StaffJob, row: Row, *, now: datetime) -> None:
        CustomerGroup.objects.create(name=f"written {row.key}")
        type(self).before(row.key)
        if row.key == "refused":
            raise NotDone("It has changed since.")
        if row.key == "broken":
            raise ZeroDivisionError


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writes]:
    monkeypatch.setattr(kinds, "_kinds", {**kinds._kinds})
    declare(Writes())
    monkeypatch.setattr(Writes, "before", staticmethod(lambda _key: None))
    return Writes()


def asked(by: User, kind: Writes, *keys: Any) -> StaffJob:
    return ask_for(kind, title="Write", by=by, now=timezone.now(), params=chosen([Row(key) for key in keys]))


def at_work(seconds: float = 5, *, later: timedelta = timedelta()) -> int:
    return run_jobs(clock=lambda: timezone.now() + later, seconds=seconds)


def written() -> list[str]:
    names = CustomerGroup.objects.filter(name__startswith="written").order_by("pk").values_list("name", flat=True)
    return [name.removeprefix("written ") for name in names]


def test_rows_are_done_in_their_order_and_what_was_left_is_said_where(sam: User, kind: Writes) -> None:
    job = asked(sam, kind, 1, "refused", "broken", 2)

    assert at_work() == 1

    job.refresh_from_db()
    assert written() == ["1", "2"]
    assert (job.state, job.handled, job.problem_count, job.changed, job.percent) == (State.DONE, 4, 2, 2, 100)
    assert [(one["row"], one["text"]) for one in job.problems] == [
        ("refused", "It has changed since."),
        ("broken", "Something unexpected went wrong. Nothing was changed here; the log says more."),
    ]


def test_who_may_not_does_not_get_a_job_and_who_may_no_longer_has_none_done(ann: User, sam: User, kind: Writes) -> None:
    with pytest.raises(PermissionDenied):
        asked(ann, kind, 1)
    job = asked(sam, kind, 1)
    User.objects.filter(pk=sam.pk).update(is_superuser=False)

    at_work()

    job.refresh_from_db()
    assert (job.state, written()) == (State.FAILED, [])
    assert "no longer" in job.error


def test_whoever_is_blocked_in_the_middle_has_no_more_rows_done(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asked(sam, kind, 1, 2, 3), asked(sam, kind, 4)
    block = User.objects.filter(pk=sam.pk)
    monkeypatch.setattr(Writes, "before", staticmethod(lambda _key: block.update(is_active=False)))

    at_work()

    assert written() == ["1"]
    assert {job.state for job in StaffJob.objects.filter(pk__in=[first.pk, second.pk])} == {State.FAILED}


def test_work_that_takes_longer_than_a_run_goes_on_in_the_next_where_it_was(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(sam, kind, *range(5))
    turns = iter([[None], [None, None], *[[None] * 9] * 9])
    monkeypatch.setattr(run, "while_time_is_left", lambda _seconds: iter(next(turns)))

    at_work()
    job.refresh_from_db()
    assert (job.state, job.handled, job.percent) == (State.WAITING, 2, 40)
    at_work()

    job.refresh_from_db()
    assert (job.state, written()) == (State.DONE, ["0", "1", "2", "3", "4"])


def test_worker_that_dies_in_the_middle_of_a_step_has_done_nothing_of_it(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(sam, kind, 1, 2, 3)

    def dies(key: Any) -> None:
        if key == 2:
            raise SystemExit

    monkeypatch.setattr(Writes, "before", staticmethod(dies))
    with pytest.raises(SystemExit):
        at_work()
    assert written() == ["1"]
    monkeypatch.setattr(Writes, "before", staticmethod(lambda _key: None))

    assert at_work() == 0  # it is claimed still
    assert at_work(later=CLAIM + timedelta(seconds=1)) == 1

    job.refresh_from_db()
    assert (job.state, job.handled, written()) == (State.DONE, 3, ["1", "2", "3"])


def test_database_that_goes_away_costs_a_try_and_the_job_is_given_up_at_the_same_place_only(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(sam, kind, 1, 2)

    def away(key: Any) -> None:
        if key == 2:
            raise OperationalError

    monkeypatch.setattr(Writes, "before", staticmethod(away))
    for turn in range(MAX_TRIES + 1):
        at_work(later=turn * (CLAIM + timedelta(seconds=1)))

    job.refresh_from_db()
    assert (job.state, job.handled, written()) == (State.FAILED, 1, ["1"])
    assert "several times" in job.error


def test_stopped_job_keeps_what_it_has_done_and_does_no_more(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(sam, kind, 1, 2, 3)
    turns = iter([[None], [None], *[[None] * 9] * 9])
    monkeypatch.setattr(run, "while_time_is_left", lambda _seconds: iter(next(turns)))
    at_work()

    assert stop(job, by=sam, now=timezone.now())
    assert not stop(job, by=sam, now=timezone.now())
    at_work()

    job.refresh_from_db()
    assert (job.state, job.handled, written()) == (State.STOPPED, 1, ["1"])


def test_job_whose_claim_another_worker_has_taken_writes_nothing_more(
    sam: User, kind: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = asked(sam, kind, 1, 2)

    def too_slow(key: Any) -> None:
        if key == 2:
            StaffJob.objects.filter(pk=job.pk).update(claim_token=None, state=State.WAITING)

    monkeypatch.setattr(Writes, "before", staticmethod(too_slow))
    at_work()
    # What the other one did is rolled back with the step here; on its own connection it would have stayed.
    StaffJob.objects.filter(pk=job.pk).update(claim_token=None, state=State.WAITING)
    monkeypatch.setattr(Writes, "before", staticmethod(lambda _key: None))
    at_work()

    job.refresh_from_db()
    assert (job.state, job.handled, written()) == (State.DONE, 2, ["1", "2"])


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_two_workers_at_once_do_no_row_twice(sam: User, kind: Writes) -> None:
    jobs = [asked(sam, kind, *(f"{number}.{row}" for row in range(20))) for number in range(3)]
    together = Barrier(4)

    def work() -> None:
        together.wait()
        try:
            at_work(seconds=20)
        finally:
            connection.close()

    workers = [Thread(target=work) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    at_work(seconds=20)
    assert {job.state for job in StaffJob.objects.filter(pk__in=[job.pk for job in jobs])} == {State.DONE}
    assert sorted(written()) == sorted(f"{number}.{row}" for number in range(3) for row in range(20))


def test_job_of_a_kind_nobody_knows_any_more_fails_in_words(sam: User, kind: Writes) -> None:
    job = asked(sam, kind, 1)
    del kinds._kinds[kind.name]

    at_work()

    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "this kind of job" in job.error


def test_files_go_after_a_week_and_jobs_after_a_season(sam: User, kind: Writes) -> None:
    now = timezone.now()
    for age in (FILES_KEPT, ROWS_KEPT):
        for more in (timedelta(hours=-1), timedelta(hours=1)):
            ended = {"state": State.DONE, "finished_at": now - age - more}
            job = StaffJob.objects.create(kind=kind.name, title="file", asked_by=sam, language="en", **ended)
            JobFilePart.objects.create(job=job, number=0, packed=b"")
    waits = asked(sam, kind, 1)

    clean_jobs(now=now)

    assert StaffJob.objects.count() == 4
    assert JobFilePart.objects.count() == 1
    assert StaffJob.objects.filter(pk=waits.pk).exists()


def searched(sam: User, kind: Writes, **fields: Any) -> StaffJob:
    """A job over a list that was searched for a customer's address, with a part of its file."""
    values = {"params": {"model": "orders.order", "query": "q=ann%40example.com"}, "file_name": "orders.csv", **fields}
    back = "/admin/orders/order/?q=ann%40example.com"
    job = StaffJob.objects.create(kind=kind.name, title="file", asked_by=sam, language="en", back=back, **values)
    JobFilePart.objects.create(job=job, number=0, packed=b"")
    return job


def kept(job: StaffJob) -> tuple[int, str, Any]:
    job.refresh_from_db()
    return job.parts.count(), job.back, job.params.get("query")


def test_stopping_a_job_drops_what_it_had_written_and_what_was_searched_for(sam: User, kind: Writes) -> None:
    job, other = (searched(sam, kind, state=State.WAITING) for _job in range(2))

    stop(job, by=sam, now=timezone.now())

    assert kept(job) == (0, "", None)
    assert job.params == {"model": "orders.order"}
    assert kept(other) == (1, "/admin/orders/order/?q=ann%40example.com", "q=ann%40example.com")


def test_what_a_failed_job_had_written_goes_with_the_next_run(sam: User, kind: Writes) -> None:
    now = timezone.now()
    failed = searched(sam, kind, state=State.WAITING)
    done = searched(sam, kind, state=State.DONE, finished_at=now)
    User.objects.filter(pk=sam.pk).update(is_superuser=False)

    task()

    failed.refresh_from_db()
    assert failed.state == State.FAILED
    assert kept(failed) == (0, "", None)
    assert kept(done)[0] == 1


def test_what_was_searched_for_is_blanked_when_the_file_goes(sam: User, kind: Writes) -> None:
    now = timezone.now()
    week, day = (
        searched(sam, kind, state=State.DONE, finished_at=now - age) for age in (FILES_KEPT * 1.01, FILES_KEPT * 0.99)
    )

    clean_jobs(now=now)

    assert kept(week) == (0, "", None)
    assert kept(day) == (1, "/admin/orders/order/?q=ann%40example.com", "q=ann%40example.com")


def test_progress_page_when_asked_for_by_whose_job_it_is_then_it_answers(
    sam: User, kind: Writes, client: Client
) -> None:
    client.force_login(sam)
    job = asked(sam, kind, 1, 2)

    page = client.get(reverse("admin:jobs_staffjob_progress", args=[job.pk]))

    assert page.status_code == 200
    assert "A worker takes it up in a moment." in page.content.decode()
