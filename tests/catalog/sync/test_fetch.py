"""A server that gives the list of services page by page, asked for or not."""

import json
from typing import Any

import pytest

from catalog.models import Service, SyncRun
from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import LATER, NOW, stored
from upstream.client import Client
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db


def page_requests(sandbox: Sandbox) -> list[tuple[str | None, str | None]]:
    """The (page, limit) of the requests for all services."""
    calls = [call["params"] for call in sandbox.requests if call["action"] == "services"]
    return [(call.get("page"), call.get("limit")) for call in calls if not call.get("category")]


def test_sync_catalog_when_upstream_caps_its_pages_reads_them_all(sandbox: Sandbox, client_upstream: Client) -> None:
    sandbox.set(page_cap=25)

    run = sync_catalog(client=client_upstream, now=NOW)

    assert (run.status, run.total, run.added) == ("applied", 60, 60)
    assert page_requests(sandbox) == [(None, None), ("2", "25"), ("3", "25")]
    assert Service.objects.filter(subcategory=None).count() == 0


def test_sync_catalog_when_the_pages_of_a_subcategory_are_capped_maps_every_service(
    sandbox: Sandbox, client_upstream: Client
) -> None:
    sandbox.reset(services=120)
    sandbox.set(page_cap=2)

    sync_catalog(client=client_upstream, now=NOW)

    assert Service.objects.count() == 120
    assert Service.objects.filter(subcategory=None).count() == 0


def page(ids: list[int], number: int, **told: Any) -> str:
    rows = [
        {"service": pk, "name": "A", "type": "Default", "category": "Instagram", "rate": "1.00", "min": 1, "max": 9}
        for pk in ids
    ]
    return json.dumps({"services": rows, "total": 4, "page": number, "limit": 2, "total_pages": 2, **told})


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (page([2, 3], 2), "moved while it was read: service 2 is on two pages"),
        (page([3], 2), "incomplete: 3 rows, where 4 are announced"),
        (page([], 2), "page 2 is of another list"),
        (page([3, 4], 2, total=5), "page 2 is of another list"),
        (page([3, 4], 2, limit=3), "page 2 is of another list"),
        (page([3, 4], 1), "page 2 is of another list"),
        (page([3, 4], 2, total_pages=3), "page 2 is of another list"),
    ],
)
def test_sync_catalog_when_pages_do_not_fit_together_applies_nothing(
    synced: list[tuple], sandbox: Sandbox, client_upstream: Client, second: str, words: str
) -> None:
    sandbox.fail_next("garbage", action="services", text=page([1, 2], 1))
    sandbox.fail_next("garbage", action="services", text=second)

    run = sync_catalog(client=client_upstream, now=LATER)

    assert run.status == SyncRun.Status.REJECTED
    assert words in run.error
    assert stored() == synced
