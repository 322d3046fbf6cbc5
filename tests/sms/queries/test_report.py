"""The report about numbers: what counts, for which days, and who may see it; and that staff sees no codes."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.models import Status
from sms.models import Country, Number, Project
from sms.queries.report import numbers_report
from tests.pages import page_words
from tests.storefront.admin_rows import make_order

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
State = Number.State
PAGE = "/admin/sms/number/report/"
SPAN = {"begins": datetime(2024, 5, 1, tzinfo=UTC), "ends": datetime(2024, 6, 1, tzinfo=UTC)}


@pytest.fixture
def sold(ann: User) -> Any:
    """Write a number sold in May 2024: `sold(name, country, state, …)`; it cost 0.50 and was sold for 0.80."""

    def write(
        name: str, code: str, state: str = State.RECEIVED, *, day: int = 5, rate: int = 1_000_000, **order: Any
    ) -> Any:
        country, _created = Country.objects.get_or_create(code=code, defaults={"name": code.upper()})
        project, _created = Project.objects.get_or_create(
            upstream_id=name, country=country, name=name, defaults={"price_upstream_micros": 500_000}
        )
        values = {
            "price_micros": 800_000,
            "cost_upstream_micros": 500_000,
            "charge_upstream_micros": 500_000,
            "upstream_id": uuid.uuid4().hex,
            "exchange_rate_micros": rate,
            **order,
        }
        created_at = datetime(2024, 5, day, 12, tzinfo=UTC)
        row = make_order(ann, **values)
        return Number.objects.create(
            order=row, project=project, state=state, phone="+1", code="48213", content="secret", created_at=created_at
        )

    return write


@pytest.fixture
def may(sold: Any) -> None:
    sold("Telegram", "us")
    sold("Telegram", "us", charge_upstream_micros=None)  # not charged yet: 0.50 is expected
    sold("Telegram", "us", State.WAITING)
    sold("Telegram", "gb", State.EXPIRED, refunded_micros=800_000, charge_upstream_micros=0, status=Status.CANCELED)
    sold("=Cmd", "us", rate=2_000_000)
    sold("Telegram", "us", State.CANCELED, upstream_id=None, refunded_micros=800_000)  # sold out
    sold("Telegram", "us", day=31)
    Number.objects.filter(created_at__day=31).update(created_at=SPAN["ends"])


def figures(by: str) -> dict[tuple[str, ...], tuple[int, ...]]:
    lines, whole = numbers_report(**SPAN, by=by)
    return {
        line.names: (line.sold, line.received, line.success_percent, line.revenue, line.charge, line.margin)
        for line in [*lines, whole]
    }


def test_numbers_report_counts_by_website_and_country(may: None) -> None:
    assert figures("both") == {
        ("Telegram", "US"): (3, 2, 100, 2_400_000, 1_500_000, 900_000),
        ("=Cmd", "US"): (1, 1, 100, 800_000, 500_000, -200_000),
        ("Telegram", "GB"): (1, 0, 0, 0, 0, 0),
        ("Total",): (5, 3, 75, 3_200_000, 2_000_000, 700_000),
    }


def test_numbers_report_by_one_of_them_adds_up_to_the_same(may: None) -> None:
    sites, countries = figures("site"), figures("country")

    assert sites["Telegram",] == (4, 2, 66, 2_400_000, 1_500_000, 900_000)
    assert countries["US",] == (4, 3, 100, 3_200_000, 2_000_000, 700_000)
    assert sites["Total",] == countries["Total",] == (5, 3, 75, 3_200_000, 2_000_000, 700_000)


def test_numbers_report_needs_one_query(may: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        numbers_report(**SPAN, by="both")


def test_report_page_shows_the_period_that_was_asked_for_and_hands_it_out_as_csv(
    may: None, sam: User, client: Client
) -> None:
    client.force_login(sam)
    asked = {"first": "2024-05-01", "last": "2024-05-31", "by": "both"}

    page = client.get(PAGE, asked)
    file = b"".join(client.get(PAGE, {**asked, "format": "csv"}).streaming_content).decode("utf-8-sig")

    assert "Telegram US 3 2 100% $2.40 $1.50 $0.90" in page_words(page)
    header, first, second, third = csv.reader(io.StringIO(file))
    assert header[-3:] == ["Revenue, USD", "Upstream charge, USD", "Margin, USD"]
    assert first == ["Telegram", "US", "3", "2", "100", "2.40", "1.50", "0.90"]
    assert second[0] == "'=Cmd"  # no formula for a spreadsheet
    assert third[:3] == ["Telegram", "GB", "1"]


def test_report_page_when_the_period_ends_before_it_begins_says_so(may: None, sam: User, client: Client) -> None:
    client.force_login(sam)

    page = client.get(PAGE, {"first": "2024-06-01", "last": "2024-05-01", "by": "site"})

    assert "The period can't end before it starts." in page_words(page)
    assert "Showing the last 30 days." in page_words(page)


def test_report_page_when_a_clerk_may_not_see_numbers_is_refused(client: Client) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    client.force_login(clerk)

    assert client.get(PAGE).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_number"))
    assert client.get(PAGE).status_code == 200


def test_admin_of_numbers_shows_which_are_open_and_never_a_code(sold: Any, sam: User, client: Client) -> None:
    received, waiting = sold("Telegram", "us"), sold("Viber", "us", State.WAITING)
    client.force_login(sam)
    listed = reverse("admin:sms_number_changelist")

    everything = page_words(client.get(listed))
    shown = page_words(client.get(reverse("admin:sms_number_change", args=[received.pk])))

    assert "Viber" in page_words(client.get(listed, {"open": "yes"}))
    assert "Telegram" not in page_words(client.get(listed, {"open": "yes"})).partition("Viber")[2]
    assert client.get(listed, {"open": "no"}).context["cl"].result_count == 1
    assert client.get(listed, {"open": "yes"}).context["cl"].result_list[0] == waiting
    assert "48213" not in everything + shown
    assert "secret" not in everything + shown


@pytest.mark.parametrize("model", ["country", "site", "project"])
def test_hide_and_show_when_staff_chooses_rows_then_the_listing_follows(
    model: str, sold: Any, sam: User, client: Client
) -> None:
    project = sold("Telegram", "us").project
    row = {"country": project.country, "site": project.site, "project": project}[model]
    client.force_login(sam)
    listed = reverse(f"admin:sms_{model}_changelist")

    client.post(listed, {"action": "hide", "_selected_action": [row.pk]})
    assert not Project.objects.on_sale().exists()
    client.post(listed, {"action": "show", "_selected_action": [row.pk]})
    assert Project.objects.on_sale().exists()


def test_site_when_staff_gives_it_other_words_is_found_by_them(sold: Any, sam: User, client: Client) -> None:
    site = sold("Telegram", "us").project.site
    client.force_login(sam)

    client.post(reverse("admin:sms_site_change", args=[site.pk]), {"visible": "on", "aliases": "TG Телега"})

    site.refresh_from_db()
    assert site.search_text == "telegram tg телега"


def test_report_when_no_period_is_named_covers_the_last_thirty_days(sold: Any, sam: User, client: Client) -> None:
    client.force_login(sam)
    Number.objects.filter(pk=sold("Telegram", "us").pk).update(created_at=timezone.now() - timedelta(days=29))
    Number.objects.filter(pk=sold("Viber", "us").pk).update(created_at=timezone.now() - timedelta(days=31))

    page = page_words(client.get(PAGE))

    assert ("Telegram" in page, "Viber" in page) == (True, False)
