"""Services changed by a file: compared first, mistakes named by line and column, nothing done in part, put back."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.csv_export import as_written, harmless
from accounts.models import User
from catalog.models import EditedService, ImportRule, Service, ServiceFilePart
from catalog.operations import service_files
from catalog.operations.check_file import check_lines
from catalog.operations.service_files import UnreadableFile, read_file
from catalog.pricing.repricing import reprice_services
from catalog.sync.import_rules import apply_import_rules
from jobs.models import StaffJob
from jobs.run import run_jobs
from tests.pages import page_words
from tests.storefront.admin_rows import make_service

pytestmark = pytest.mark.django_db
IMPORT = "admin:catalog_service_import"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def services(db: None) -> list[Service]:
    """Three services that cost 1.50 each and are priced."""
    made = [make_service(number) for number in (1, 2, 3)]
    reprice_services(now=timezone.now())
    return made


def send(desk: Client, text: str | bytes) -> Any:
    content = text.encode() if isinstance(text, str) else text
    return desk.post(reverse(IMPORT), {"file": SimpleUploadedFile("prices.csv", content, "text/csv")}, follow=True)


def at_work() -> StaffJob:
    run_jobs(clock=timezone.now, seconds=20)
    return StaffJob.objects.latest("pk")


def checked(desk: Client, text: str) -> tuple[StaffJob, str]:
    """Send a file and let a worker compare it; return the job and what its page says."""
    send(desk, text)
    job = at_work()
    assert job.state == StaffJob.State.DONE, job.error
    return job, page_words(desk.get(reverse("admin:catalog_service_checked", args=[job.pk])))


def rows() -> list[tuple]:
    columns = ("upstream_id", "visible", "display_name", "warranty_days", "rate_override_micros")
    return list(Service.objects.order_by("upstream_id").values_list(*columns))


def test_file_when_compared_then_every_difference_is_shown_and_nothing_is_changed(
    desk: Client, services: list[Service]
) -> None:
    before = rows()

    job, words = checked(
        desk, "upstream_id,visible,display_name,rate_override,name\n1,no,Fine,2.5,x\n2,yes,,,y\n3,TRUE,Third,,z\n"
    )

    assert rows() == before
    assert (job.handled, job.problem_count, EditedService.objects.filter(job=job).count()) == (3, 0, 2)
    assert "Lines of the file 3 Services that change 2 Mistakes 0" in words
    assert "visibility: shown → hidden; display name: – → Fine; own price: by the rules → $2.50" in words
    assert not ServiceFilePart.objects.exists()


def test_file_when_imported_then_services_and_what_follows_change_and_it_can_be_put_back(
    desk: Client, services: list[Service]
) -> None:
    before = rows()
    job, _words = checked(desk, "upstream_id;display_name;rate_override;warranty_days\n1;Fine;2,5;30\n")

    desk.post(reverse("admin:catalog_service_checked", args=[job.pk]))
    done = at_work()

    assert (done.kind, done.state, done.problem_count) == ("import_services", "done", 0)
    assert rows()[0] == (1, True, "Fine", 30, 2_500_000)
    assert Service.objects.get(upstream_id=1).selling_rate_micros == 2_500_000
    assert Service.objects.matching("fine").exists()
    again = desk.post(reverse("admin:catalog_service_checked", args=[job.pk]), follow=True)
    assert "This file can't be imported, or has been." in page_words(again)
    desk.post(reverse("admin:catalog_service_edits"), {"job": done.pk})
    at_work()
    assert rows() == before


def test_file_when_a_line_is_wrong_then_line_and_column_are_named_and_nothing_is_imported(
    desk: Client, services: list[Service]
) -> None:
    before = rows()

    job, words = checked(
        desk,
        "upstream_id,visible,delivery_override,warranty_days,rate_override\n"
        "1,maybe,pigeon,-3,free\n2,no,,,0.5\n77,yes,,,\nx,yes,,,\n3,no,,,\n",
    )

    assert [(one["row"], one["text"]) for one in job.problems] == [
        ("Line 2, visible", "Write yes or no."),
        ("Line 2, delivery_override", "Write one of these, or nothing for that of the category: "
         "link, goods, vault, email."),
        ("Line 2, warranty_days", "Write a whole number of days up to 36500, or nothing."),
        ("Line 2, rate_override", "Write an amount above zero like 1.25, or nothing for the markup rules."),
        ("Line 3, rate_override", "It would be sold at a loss: it costs $1.50."),
        ("Line 4, upstream_id", "There is no such service. A file adds none."),
        ("Line 5, upstream_id", "Write the number of a service as the list has it."),
    ]  # fmt: skip
    assert "Nothing is imported while there are mistakes." in words
    pressed = desk.post(reverse("admin:catalog_service_checked", args=[job.pk]), follow=True)
    assert "This file can't be imported, or has been." in page_words(pressed)
    assert (rows(), StaffJob.objects.count()) == (before, 1)


def test_file_when_a_service_was_changed_after_it_was_compared_then_that_one_is_left(
    desk: Client, services: list[Service]
) -> None:
    job, _words = checked(desk, "upstream_id,display_name\n1,One\n2,Two\n")
    Service.objects.filter(upstream_id=1).update(display_name="By hand")

    desk.post(reverse("admin:catalog_service_checked", args=[job.pk]))
    done = at_work()

    assert [(one["row"], one["text"]) for one in done.problems] == [("#1 By hand", "It has been changed since.")]
    assert [row[2] for row in rows()] == ["By hand", "Two", ""]


def test_file_when_it_hides_what_a_rule_has_left_out_then_that_is_a_change_and_holds_without_the_rule(
    desk: Client, services: list[Service]
) -> None:
    everything = ImportRule.objects.create(outcome=ImportRule.Outcome.LEAVE)
    apply_import_rules()

    job, words = checked(desk, "upstream_id,visible,display_name\n1,no,Fans\n2,no,\n")
    assert "hidden by: an import rule → our staff" in words
    desk.post(reverse("admin:catalog_service_checked", args=[job.pk]))
    at_work()
    everything.delete()
    apply_import_rules()

    assert set(Service.objects.filter(visible=True).values_list("upstream_id", flat=True)) == {3}


def test_file_of_the_list_when_read_again_then_nothing_differs_whatever_names_look_like(
    desk: Client, services: list[Service]
) -> None:
    Service.objects.filter(upstream_id=1).update(
        display_name='=1+1, "or" so', rate_override_micros=2_500_000, warranty_days=3, visible=False
    )
    desk.post(reverse("admin:jobs_staffjob_list", args=["catalog.service"]))
    saved = at_work()
    file = b"".join(desk.get(reverse("admin:jobs_staffjob_file", args=[saved.pk])).streaming_content)
    assert b"'=1+1" in file

    job, words = checked(desk, file.decode())

    assert (job.problem_count, EditedService.objects.count()) == (0, 0)
    assert "No service would become another one." in words


@pytest.mark.parametrize("text", ["=1", "a,=1", "plain", "-5", "'quoted'", "x;+1"])
def test_harmless_text_when_read_again_is_what_it_was(text: str) -> None:
    assert as_written(harmless(text)).strip() == text.strip()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Line 1 has to name the columns: upstream_id, and one of these at least: visible, display_name"),
        (b"upstream_id,name\n1,x\n", "Line 1 has to name the columns"),
        (b"upstream_id,visible,visible\n", "Line 1 names a column twice."),
        (b"upstream_id,visible\n", "The file has no lines below the first."),
        (b"upstream_id,visible\n1,yes\n\n2\n", "Line 4 has not as many cells as line 1: 1 instead of 2."),
        (b'upstream_id,display_name\n1,"a\nb"\n1,c\n', "Line 4, upstream_id: the same service as in line 2."),
        (b"upstream_id,visible\n1,no\n 01,no\n", "Line 3, upstream_id: the same service as in line 2."),
        (b"upstream_id,visible" + b"," * 199 + b"\n", "Line 1 has more than 200 cells."),
        ("upstream_id,visible\n1,да".encode("cp1251"), "Save the file as “CSV UTF-8”"),
        (b"PK\x00\x03", "This is no CSV file."),
    ],
)
def test_file_when_it_can_not_be_read_then_it_says_where_and_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile) as why:
        read_file(content)

    assert said in str(why.value)


def test_file_when_it_has_too_many_lines_then_it_is_refused_at_the_page(
    desk: Client, services: list[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_files, "MAX_ROWS", 2)

    words = page_words(send(desk, "upstream_id,visible\n1,no\n2,no\n3,no\n"))

    assert "The file has more than 2 lines. Split it." in words
    assert not StaffJob.objects.exists()


def test_check_with_more_lines_asks_as_often(services: list[Service]) -> None:
    counts = []
    for lines in ([[2, ["1", "no"]]], [[2, ["1", "no"]], [3, ["2", "no"]], [4, ["3", "no"]]]):
        with CaptureQueriesContext(connection) as captured:
            problems, edited = check_lines(["upstream_id", "visible"], lines, rate_micros=1_000_000)
        assert (problems, len(edited)) == ([], len(lines))
        counts.append(len(captured))

    assert counts == [2, 2]


def test_check_page_while_the_worker_is_at_it_then_it_asks_for_itself_again(
    desk: Client, services: list[Service]
) -> None:
    send(desk, "upstream_id,visible\n1,no\n")
    address = reverse("admin:catalog_service_checked", args=[StaffJob.objects.get().pk])

    part = desk.get(address, HTTP_HX_REQUEST="true")

    assert 'hx-trigger="every 1s"' in part.content.decode()
    at_work()
    assert desk.get(address, HTTP_HX_REQUEST="true")["HX-Refresh"] == "true"
