"""Rows of lists as files, and the page of a job: who sees it, what it says, what it hands out."""

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin.shown_fields import shown_here
from accounts.models import User
from accounts.rights import CATALOG, SUPPORT
from accounts.trail import Action
from jobs.admin import list_files
from jobs.admin.list_files import pages_of
from jobs.models import StaffJob
from jobs.run import run_jobs
from orders.models import Order
from tests.orders.conftest import place
from tests.pages import page_words
from tests.security.staff import at_the_admin, in_role

__all__ = ["place"]  # a fixture
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
State = StaffJob.State
FILED = sorted(
    model._meta.label_lower for model, pages in admin.site._registry.items() if getattr(pages, "file_columns", ())
)


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def file_page(model: str, query: str = "") -> str:
    return reverse("admin:jobs_staffjob_list", args=[model]) + (f"?{query}" if query else "")


def made(desk: Client, model: str, query: str = "") -> StaffJob:
    """Ask for a file of a list as somebody does, let a worker make it, and return the job."""
    assert desk.get(file_page(model, query)).status_code == 200
    answer = desk.post(file_page(model, query))
    job = StaffJob.objects.first()
    assert job is not None
    assert answer["Location"] == reverse("admin:jobs_staffjob_change", args=[job.pk])
    run_jobs(clock=timezone.now, seconds=30)
    job.refresh_from_db()
    return job


def rows(desk: Client, job: StaffJob) -> list[dict[str, str]]:
    answer = desk.get(reverse("admin:jobs_staffjob_file", args=[job.pk]))
    assert answer["Content-Disposition"] == f'attachment; filename="{job.file_name}"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_file_has_the_rows_of_the_list_as_it_is_filtered_and_searched_newest_first(
    desk: Client, place: Callable[..., Order], ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_files, "ROWS_AT_ONCE", 2)
    orders = [place() for _order in range(5)]
    others = place(user=ben)
    Order.objects.filter(pk=orders[0].pk).update(held_because="margin", title="=1+1", price_micros=1_875_000)

    everything = made(desk, "orders.order")
    assert (everything.state, everything.handled, everything.total) == (State.DONE, 6, 6)
    assert [row["id"] for row in rows(desk, everything)] == [str(one.pk) for one in (others, *reversed(orders))]
    held = rows(desk, made(desk, "orders.order", "work=held"))
    assert [(row["id"], row["title"], row["price"]) for row in held] == [(str(orders[0].pk), "'=1+1", "1.875")]
    bens = rows(desk, made(desk, "orders.order", "q=ben%40example.com"))
    assert [row["user_email"] for row in bens] == ["ben@example.com"]
    nobodys = made(desk, "orders.order", "q=nobody%40example.com")
    assert (nobodys.state, rows(desk, nobodys)) == (State.DONE, [])


@pytest.mark.parametrize("model", FILED)
def test_every_list_that_offers_a_file_makes_one_of_what_it_shows(desk: Client, model: str, sam: User) -> None:
    assert made(desk, model).state == State.DONE
    pages = pages_of(model)
    assert pages is not None
    request = list_files._request_of(sam, "")
    shown = shown_here(pages, request)
    # What is another row's: its name on this page, or shown on its own.
    hidden = [column for column in pages.file_columns if "__" not in column and column not in shown]
    assert hidden == []


def test_list_offers_the_file_with_its_filters(desk: Client) -> None:
    page = desk.get(reverse("admin:orders_order_changelist"), {"work": "held"}).content.decode()

    assert file_page("orders.order", "work=held") in page


@pytest.mark.parametrize(("model", "query"), [("orders.order", "created_at__year=x"), ("orders.order", "password=x")])
def test_filter_that_is_none_is_said_and_nothing_is_asked_for(desk: Client, model: str, query: str) -> None:
    answer = desk.post(file_page(model, query), follow=True)

    assert "can't be filtered like that" in page_words(answer) or answer.status_code == 400
    assert not StaffJob.objects.exists()


@pytest.mark.parametrize("model", ["accounts.apikey", "nobody.knows", "orders", "auth.group"])
def test_lists_without_files_have_no_such_page(desk: Client, model: str) -> None:
    assert desk.get(file_page(model)).status_code == 404


def test_roles_get_files_of_what_they_may_see(ann: User) -> None:
    keeper = at_the_admin(in_role("cat@example.com", CATALOG))

    assert keeper.get(file_page("wallet.ledgerentry")).status_code == 403
    assert keeper.post(file_page("orders.order")).status_code == 403
    assert not StaffJob.objects.exists()


def test_file_is_nobodys_but_whose_it_is_and_of_who_may_still_see_the_list(
    place: Callable[..., Order], desk: Client
) -> None:
    place()
    helper = in_role("help@example.com", SUPPORT)
    theirs = at_the_admin(helper)
    job = made(theirs, "orders.order")
    file, page = (reverse(f"admin:jobs_staffjob_{name}", args=[job.pk]) for name in ("file", "change"))

    assert theirs.get(file).status_code == 200
    assert desk.get(page).status_code == 200  # the owner sees that it was made
    assert desk.get(file).status_code == 404
    other = at_the_admin(in_role("aid@example.com", SUPPORT))
    assert other.get(page).status_code == 302  # Django's answer for a row that is not there
    assert other.get(reverse("admin:jobs_staffjob_progress", args=[job.pk])).status_code == 404
    assert other.post(reverse("admin:jobs_staffjob_stop", args=[job.pk])).status_code == 404
    helper.groups.set(Group.objects.filter(name=CATALOG))
    assert theirs.get(page).status_code == 200
    assert theirs.get(file).status_code == 404
    helper.groups.clear()
    assert theirs.get(file).status_code == 404


def test_page_follows_the_job_until_it_has_ended(desk: Client, place: Callable[..., Order]) -> None:
    place()
    desk.post(file_page("orders.order"))
    job = StaffJob.objects.get()
    progress = reverse("admin:jobs_staffjob_progress", args=[job.pk])

    waiting = desk.get(progress)
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert "Stop" in page_words(waiting)
    run_jobs(clock=timezone.now, seconds=30)

    done = desk.get(progress)
    assert "hx-trigger" not in done.content.decode()
    assert "1 row." in page_words(done)
    assert "Download" in page_words(done)


def test_stopping_is_said_and_once_it_has_ended_nothing_is_stopped(desk: Client, place: Callable[..., Order]) -> None:
    place()
    desk.post(file_page("orders.order"))
    stop = reverse("admin:jobs_staffjob_stop", args=[StaffJob.objects.get().pk])

    assert desk.get(stop).status_code == 302
    assert StaffJob.objects.get().state == State.WAITING
    assert "has been stopped" in page_words(desk.post(stop, follow=True))
    assert "had ended before" in page_words(desk.post(stop, follow=True))
    run_jobs(clock=timezone.now, seconds=30)
    assert StaffJob.objects.get().state == State.STOPPED


def test_who_had_what_made_and_downloaded_is_on_the_trail(desk: Client, place: Callable[..., Order], sam: User) -> None:
    from accounts.models import TrailEntry

    place()
    rows(desk, made(desk, "orders.order", "q=ann%40example.com"))

    asked_for = TrailEntry.objects.get(action=Action.ACTED, target="Orders as CSV")
    assert asked_for.after["model"] == "orders.order"
    assert asked_for.after["query"] == "q=ann%40example.com"
    noted = list(TrailEntry.objects.filter(actor_id=sam.pk).values_list("action", "target"))
    assert (Action.ACTED, "Orders as CSV") in noted
    assert Action.EXPORTED in [action for action, _target in noted]
