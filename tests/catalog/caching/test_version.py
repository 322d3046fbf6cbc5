"""The number that grows with every change of what the shop's pages show: what counts, and how old it may be."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.caching import version
from catalog.caching.version import (
    ASK_THE_DATABASE,
    RECENT_SECONDS,
    VERSION_KEY,
    catalog_version,
    forget_process_version,
    recent_version,
)
from catalog.models import Category, MarkupRule, Service
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def test_version_counts_what_any_statement_writes() -> None:
    service = put_on_sale("A")

    def counted(write: Callable[[], Any]) -> bool:
        before = catalog_version()
        write()
        return catalog_version() > before

    with connection.cursor() as cursor:
        assert counted(lambda: cursor.execute("UPDATE catalog_service SET stock = 3"))
        assert counted(lambda: cursor.execute("DELETE FROM catalog_markuprule WHERE id = 0")) in (True, False)
    assert counted(lambda: Category.objects.bulk_create([Category(name="B")]))
    assert counted(lambda: Category.objects.filter(name="B").delete())
    assert counted(lambda: MarkupRule.objects.create(scope="service", service=service, percent=3))
    assert not counted(lambda: Service.objects.filter(pk=0).update(stock=1))
    assert not counted(lambda: Service.objects.count())


def written_elsewhere(sql: str) -> None:
    """Write as another program would: nothing in this process notices."""
    with connection.cursor() as cursor:
        cursor.cursor.execute(sql)


def test_recent_version_when_another_program_wrote_is_a_second_old_at_most(client: Client) -> None:
    service = put_on_sale("A")
    cache.delete(VERSION_KEY)
    forget_process_version()
    known = recent_version()

    written_elsewhere("UPDATE catalog_service SET display_name = 'By hand'")

    with CaptureQueriesContext(connection) as captured:
        assert recent_version() == known
    assert len(captured) == 0
    assert 0 < cache.ttl(VERSION_KEY) <= RECENT_SECONDS == 1
    cache.delete(VERSION_KEY)  # the second is over
    forget_process_version()
    assert recent_version() > known
    assert "By hand" in page_words(client.get(reverse("catalog:category", args=[service.category_id])))


def test_recent_version_when_another_process_wrote_is_asked_for_after_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(version, "PROCESS_SECONDS", 0.1)
    put_on_sale("A")
    cache.delete(VERSION_KEY)
    forget_process_version()
    known = recent_version()
    written_elsewhere("UPDATE catalog_service SET position = 1")
    cache.set(VERSION_KEY, ASK_THE_DATABASE)  # as the other process did

    assert recent_version() == known
    time.sleep(version.PROCESS_SECONDS)
    assert recent_version() > known


@pytest.mark.django_db(transaction=True)
def test_recent_version_when_a_change_is_committed_is_the_new_one() -> None:
    service = put_on_sale("A")
    cache.delete(VERSION_KEY)
    forget_process_version()
    before = recent_version()
    seen = []

    def in_another_thread() -> None:
        seen.append(recent_version())
        connection.close()

    with transaction.atomic():
        Service.objects.filter(pk=service.pk).update(stock=1)
        other = threading.Thread(target=in_another_thread)
        other.start()
        other.join()

    assert seen == [before]  # nothing is committed yet
    assert recent_version() == catalog_version() > before
