"""The list of services: a line each, and the tabs of those that lose money, are slow or are often refunded."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.admin import short_count
from accounts.models import User
from catalog.models import Service, ServiceMargin
from tests.storefront.admin_rows import make_quality, make_service

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def shown(desk: Client, **asked: str) -> Any:
    answer = desk.get(reverse("admin:catalog_service_changelist"), asked)
    assert answer.status_code == 200
    return answer


def make_margin(service: Service, margin: int) -> None:
    figures = {"orders": 3, "kept_micros": 1_000_000, "cost_micros": 1_000_000 - margin, "margin_micros": margin}
    ServiceMargin.objects.create(service=service, **figures)


def test_list_when_figures_are_asked_for_then_only_such_services_come_the_worst_first(desk: Client) -> None:
    services = [make_service(number) for number in range(1, 6)]
    make_margin(services[0], -5_000)
    make_margin(services[1], -90_000)
    make_margin(services[2], 0)
    make_quality(services[2], done_seconds=2 * DAY, done_seconds_most=4 * DAY)
    make_quality(services[3], completed=180, partial=0, refunded=20)
    make_quality(services[4], completed=181, partial=0, refunded=19)

    found = {
        figures: [row.upstream_id for row in shown(desk, figures=figures).context["cl"].result_list]
        for figures in ("losing", "slow", "refunded")
    }

    assert found == {"losing": [2, 1], "slow": [3], "refunded": [4]}
    page = shown(desk, figures="losing").content.decode()
    assert "$-0.09" in page or "-$0.09" in page
    assert "20 (10%)" in shown(desk, figures="refunded").content.decode()


def test_list_when_a_title_is_long_then_it_is_cut_and_the_cell_has_all_of_it(desk: Client) -> None:
    service = make_service(1)
    Service.objects.filter(pk=service.pk).update(name="Long <b>" * 20, paused_because="too dear")

    page = shown(desk).content.decode()

    whole = ("Long &lt;b&gt;" * 20).strip()
    assert f'title="{whole}"' in page
    assert f">{whole}<" not in page
    assert "Paused" in page


def test_list_with_more_rows_asks_as_often_and_never_counts_them_all(desk: Client) -> None:
    counts = []
    for number in (1, 2, 3):
        make_margin(make_service(number), -number)
        make_quality(Service.objects.get(upstream_id=number), done_seconds=2 * DAY)
        shown(desk)
        with CaptureQueriesContext(connection) as captured:
            shown(desk)
            shown(desk, figures="losing")
            shown(desk, figures="slow")
        counts.append(len(captured))
        counted = [
            each["sql"] for each in captured if "COUNT(*)" in each["sql"] and 'FROM "catalog_service"' in each["sql"]
        ]

    assert counts[0] == counts[2]
    assert counted == []


def test_hide_when_all_of_a_list_is_chosen_that_is_longer_than_its_count_then_nothing_is_done(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_count, "LEAFED_THROUGH", 2)
    services = [make_service(number) for number in (1, 2, 3)]
    form = {"action": "hide", "select_across": "1", "_selected_action": [services[0].pk]}

    answer = desk.post(reverse("admin:catalog_service_changelist"), form, follow=True)

    said = [str(message) for message in answer.context["messages"]]
    assert said == ["The list has more services than it counts. Narrow it down first."]
    assert Service.objects.filter(visible=True).count() == 3


def test_state_when_withdrawn_hidden_paused_or_on_sale_then_the_list_says_so(desk: Client) -> None:
    services = [make_service(number) for number in range(1, 5)]
    Service.objects.filter(pk=services[0].pk).update(withdrawn_at=timezone.now())
    Service.objects.filter(pk=services[1].pk).update(visible=False)
    Service.objects.filter(pk=services[2].pk).update(paused_because="x")
    pages = reverse("admin:catalog_service_changelist")

    cl = desk.get(pages).context["cl"]

    states = {row.upstream_id: cl.model_admin.shown_state(row)[1] for row in cl.result_list}
    assert states == {1: "Withdrawn", 2: "Hidden", 3: "Paused", 4: "On sale"}
