"""Editing many services: shown first, done by a worker, put back; what can't be done is named and left."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import EditedService, ImportRule, MarkupRule, Service, ServiceMargin
from catalog.operations import edit_jobs
from catalog.operations.edit_preview import preview_edit
from catalog.operations.overrides import refresh_search_text
from catalog.operations.service_edits import Edit, locked_rows, write_values
from catalog.pricing.repricing import reprice_services
from catalog.sync.import_rules import apply_import_rules
from jobs.models import StaffJob
from jobs.run import run_jobs
from tests.pages import page_words
from tests.storefront.admin_rows import make_service

pytestmark = pytest.mark.django_db
EDIT, EDITS = "admin:catalog_service_edit", "admin:catalog_service_edits"


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
    refresh_search_text(Service.objects.all())
    return made


def press(desk: Client, query: str = "", **fields: Any) -> Any:
    """Look at the preview, and press its button."""
    seen = desk.post(f"{reverse(EDIT)}?{query}", {**fields, "_preview": "1"})
    return desk.post(f"{reverse(EDIT)}?{query}", {**fields, "_apply": "1", "previewed": seen.context["fingerprint"]})


def at_work() -> StaffJob:
    run_jobs(clock=timezone.now, seconds=20)
    job = StaffJob.objects.latest("pk")
    assert job.state == StaffJob.State.DONE, job.error
    return job


def put_back(desk: Client, job: StaffJob) -> StaffJob:
    desk.post(reverse(EDITS), {"job": job.pk})
    return at_work()


def columns(*names: str) -> list[tuple]:
    return list(Service.objects.order_by("upstream_id").values_list(*names))


def test_preview_when_a_price_is_chosen_then_it_says_what_changes_and_nothing_has(
    desk: Client, services: list[Service]
) -> None:
    figures = {"orders": 4, "kept_micros": 8_000_000, "cost_micros": 6_000_000, "margin_micros": 2_000_000}
    ServiceMargin.objects.create(service=services[0], **figures)
    before = columns("selling_rate_micros")

    words = page_words(desk.post(reverse(EDIT), {"price": "percent", "percent": "100", "_preview": "1"}))

    assert "Services that change 3 own price 3 Price goes up 3 Price goes down 0" in words
    assert "own price: by the rules → $3.00 $1.875 → $3.00" in words
    assert "The same orders as in the last 30 days would bring +$4.80" in words  # 8.00 × 1.125 / 1.875
    assert (columns("selling_rate_micros"), StaffJob.objects.count()) == (before, 0)


def test_edit_when_pressed_then_a_worker_does_it_and_prices_follow(desk: Client, services: list[Service]) -> None:
    pressed = press(desk, price="percent", percent="100")

    assert pressed["Location"] == reverse("admin:jobs_staffjob_change", args=[StaffJob.objects.get().pk])
    job = at_work()
    assert (job.handled, job.problem_count) == (3, 0)
    assert columns("rate_override_micros", "selling_rate_micros") == [(3_000_000, 3_000_000)] * 3


def test_put_back_when_something_was_changed_since_then_that_stays_and_the_rest_is_as_before(
    desk: Client, services: list[Service]
) -> None:
    before = columns("visible", "display_name", "warranty_days", "delivery_override", "rate_override_micros",
                     "selling_rate_micros", "search_text")  # fmt: skip
    fields = {"price": "amount", "amount": "2.50", "visible": "hide", "find": "SERVICE", "replacement": "=Fine",
              "delivery": "email", "warranty": "set", "warranty_days": "30"}  # fmt: skip
    press(desk, **fields)
    job = at_work()
    changed = Service.objects.get(upstream_id=2)
    assert (changed.visible, changed.display_name, changed.delivery_override) == (False, "=Fine 2", "email")
    assert (changed.warranty_days, changed.selling_rate_micros) == (30, 2_500_000)
    assert Service.objects.matching("fine 2").get() == changed
    Service.objects.filter(upstream_id=3).update(warranty_days=7)

    back = put_back(desk, job)

    assert columns("visible", "display_name", "warranty_days", "delivery_override", "rate_override_micros",
                   "selling_rate_micros", "search_text")[:2] == before[:2]  # fmt: skip
    assert [(one["row"], one["text"]) for one in back.problems] == [("#3 =Fine 3", "It has been changed since.")]
    assert Service.objects.get(upstream_id=3).warranty_days == 7


def test_edit_when_it_would_sell_at_a_loss_or_a_rule_leaves_it_out_then_that_is_said_and_left(
    desk: Client, services: list[Service]
) -> None:
    Service.objects.filter(upstream_id=2).update(rate_upstream_micros=9_000_000)
    ImportRule.objects.create(name="Service 3", outcome=ImportRule.Outcome.LEAVE)
    apply_import_rules()
    fields = {"price": "amount", "amount": "2", "visible": "show"}

    words = page_words(desk.post(reverse(EDIT), {**fields, "_preview": "1"}))
    press(desk, **fields)
    job = at_work()

    assert "Left as they are, for the reasons below 2" in words
    assert "#2 Service 2: It would be sold at a loss: it costs $9.00." in words
    assert "#3 Service 3: An import rule leaves this service out." in words
    assert columns("rate_override_micros") == [(2_000_000,), (None,), (None,)]
    assert (job.handled, job.problem_count) == (1, 0)  # the others were never part of it


def test_edit_when_a_rate_rose_after_the_preview_then_the_worker_leaves_that_service(
    desk: Client, services: list[Service]
) -> None:
    press(desk, price="amount", amount="2")
    Service.objects.filter(upstream_id=1).update(rate_upstream_micros=3_000_000)

    job = at_work()

    assert [one["row"] for one in job.problems] == ["#1 Service 1"]
    assert columns("rate_override_micros") == [(None,), (2_000_000,), (2_000_000,)]


@pytest.mark.parametrize("query", ["q=service+2", "id__in={pk}", "sale=paused"])
def test_edit_when_the_list_is_filtered_then_only_what_it_shows_is_edited(
    desk: Client, services: list[Service], query: str
) -> None:
    Service.objects.filter(pk=services[1].pk).update(paused_because="x")

    press(desk, query.format(pk=services[1].pk), visible="hide")
    at_work()

    assert columns("visible") == [(True,), (False,), (True,)]


def test_edit_when_the_services_changed_since_the_preview_then_it_is_shown_again(
    desk: Client, services: list[Service]
) -> None:
    seen = desk.post(reverse(EDIT), {"visible": "hide", "_preview": "1"})
    make_service(4)

    again = desk.post(reverse(EDIT), {"visible": "hide", "_apply": "1", "previewed": seen.context["fingerprint"]})

    assert "Something has changed since. Nothing has been done yet; look again." in page_words(again)
    assert not StaffJob.objects.exists()


def apply(desk: Client, seen: Any, **fields: Any) -> Any:
    """Press the button of a preview that was seen before."""
    posted = {**fields, "_apply": "1", "previewed": seen.context["fingerprint"]}
    return desk.post(reverse(EDIT), posted, follow=True)


def test_edit_when_its_button_is_pressed_twice_then_it_is_done_once_and_staff_is_told(
    desk: Client, services: list[Service]
) -> None:
    fields = {"find": "service", "replacement": "service HQ"}
    seen = desk.post(reverse(EDIT), {**fields, "_preview": "1"})

    apply(desk, seen, **fields)
    again = apply(desk, seen, **fields)
    at_work()
    stale = apply(desk, seen, **fields)  # the page of before, pressed once more

    assert "This edit is being done already. It was not asked for again." in page_words(again)
    assert "Something has changed since. Nothing has been done yet; look again." in page_words(stale)
    assert StaffJob.objects.count() == 1
    assert columns("display_name") == [("service HQ 1",), ("service HQ 2",), ("service HQ 3",)]


def test_edit_when_costs_changed_since_the_preview_then_the_new_prices_are_shown_first(
    desk: Client, services: list[Service]
) -> None:
    fields = {"price": "percent", "percent": "100"}
    seen = desk.post(reverse(EDIT), {**fields, "_preview": "1"})
    Service.objects.update(rate_upstream_micros=15_000_000)

    again = apply(desk, seen, **fields)

    assert "own price: by the rules → $30.00" in page_words(again)
    assert not StaffJob.objects.exists()


def test_edit_when_a_service_would_become_other_than_previewed_then_the_worker_leaves_it(
    desk: Client, services: list[Service]
) -> None:
    press(desk, price="percent", percent="100", visible="hide")
    Service.objects.filter(upstream_id=1).update(rate_upstream_micros=1_000_000)
    Service.objects.filter(upstream_id=2).update(visible=False)
    Service.objects.filter(upstream_id=3).update(paused_because="no part of the edit")

    job = at_work()

    left = [(one["row"], one["text"]) for one in job.problems]
    assert left == [(f"#{number} Service {number}", "It has been changed since.") for number in (1, 2)]
    assert columns("rate_override_micros", "visible") == [(None, True), (None, False), (3_000_000, False)]


def test_write_when_services_change_in_different_columns_then_no_others_are_written(services: list[Service]) -> None:
    """What a colleague has changed of one service is not written for the sake of another's."""
    with transaction.atomic():
        rows = locked_rows([service.pk for service in services[:2]])
        first, second = (row.values for row in rows)
        changes = {rows[0].id: first._replace(visible=False), rows[1].id: second._replace(warranty_days=5)}
        Service.objects.filter(pk=rows[1].id).update(visible=False)
        write_values(changes, rows, now=timezone.now())

    assert columns("visible", "warranty_days")[:2] == [(False, None), (False, 5)]


def test_hide_when_a_rule_has_left_a_service_out_then_it_stays_hidden_without_the_rule_until_it_is_put_back(
    desk: Client, services: list[Service]
) -> None:
    everything = ImportRule.objects.create(outcome=ImportRule.Outcome.LEAVE)
    apply_import_rules()

    words = page_words(desk.post(reverse(EDIT), {"visible": "hide", "_preview": "1"}))
    press(desk, visible="hide")
    job = at_work()

    assert "hidden by: an import rule → our staff" in words
    everything.delete()
    apply_import_rules()
    assert columns("visible", "left_out") == [(False, False)] * 3
    put_back(desk, job)
    apply_import_rules()
    assert columns("visible", "left_out") == [(True, False)] * 3


def test_show_and_hide_when_a_rule_just_went_then_what_staff_hid_stays_hidden(
    desk: Client, services: list[Service]
) -> None:
    everything = ImportRule.objects.create(outcome=ImportRule.Outcome.LEAVE)
    apply_import_rules()
    everything.delete()  # a worker goes by that later

    for visible in ("show", "hide"):
        press(desk, visible=visible)
        at_work()
    apply_import_rules()

    assert columns("visible") == [(False,)] * 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose what to change."),
        ({"price": "percent"}, "Enter a number."),
        ({"price": "percent", "percent": "-1"}, "greater than or equal to 0"),
        ({"warranty": "set"}, "Enter a number."),
        ({"replacement": "x"}, "Enter the words that are replaced."),
    ],
)
def test_edit_when_the_form_says_nothing_whole_then_the_field_says_what_is_missing(
    desk: Client, services: list[Service], fields: dict[str, str], said: str
) -> None:
    assert said in page_words(desk.post(reverse(EDIT), {**fields, "_preview": "1"}))


def test_edit_when_nothing_would_be_left_of_a_name_then_it_is_left(services: list[Service]) -> None:
    effect = preview_edit(Edit(find="service 1"), Service.objects.all(), now=timezone.now())

    assert [(row.upstream_id, why) for row, why in effect.left] == [(1, "Nothing would be left of its name.")]
    assert effect.changed == 0


def test_edit_when_own_prices_are_taken_away_then_the_markup_rules_count(desk: Client, services: list[Service]) -> None:
    MarkupRule.objects.create(scope="all", percent=Decimal(100))
    Service.objects.update(rate_override_micros=2_000_000)
    reprice_services(now=timezone.now())

    press(desk, price="clear")
    at_work()

    assert columns("rate_override_micros", "selling_rate_micros") == [(None, 3_000_000)] * 3


def test_edit_when_a_worker_takes_it_in_steps_then_each_service_is_written_once(
    desk: Client, services: list[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_jobs, "AT_ONCE", 1)

    press(desk, visible="hide")
    job = at_work()

    assert (job.handled, EditedService.objects.filter(job=job).count()) == (3, 3)
    back = put_back(desk, job)
    assert (back.handled, columns("visible")) == (3, [(True,)] * 3)


def test_preview_with_more_services_asks_as_often(services: list[Service]) -> None:
    counts: list[int] = []
    look: Callable[[], Any] = lambda: preview_edit(  # noqa: E731 - said twice
        Edit(price="percent", percent="10"), Service.objects.all(), now=timezone.now()
    )
    for number in (4, 5):
        look()
        with CaptureQueriesContext(connection) as captured:
            look()
        counts.append(len(captured))
        make_service(number)

    assert counts[0] == counts[1] <= 5


def test_edit_when_somebody_may_only_look_then_there_is_no_such_page(services: list[Service]) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_service"))
    client = Client()
    client.force_login(clerk)

    assert client.get(reverse(EDIT)).status_code == 403
    assert client.get(reverse(EDITS)).status_code == 403
    assert "Edit them all" not in client.get(reverse("admin:catalog_service_changelist")).content.decode()


def test_action_when_rows_are_chosen_then_the_page_is_about_them(desk: Client, services: list[Service]) -> None:
    chosen = {"action": "edit_chosen", "_selected_action": [services[0].pk, services[2].pk]}

    page = desk.post(reverse("admin:catalog_service_changelist"), chosen, follow=True)

    assert "is changed for the 2 services of the list" in page_words(page)
