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
    STOCK_KEY,
    UNCOUNTED,
    VERSION_KEY,
    catalog_version,
    count_plainly,
    forget_process_version,
    install_triggers,
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


def counted_of(sql: str) -> tuple[int, int]:
    """Write as another program would; return how much the version has grown, and the count of stock alone."""
    before = catalog_version()
    written_elsewhere(sql)
    after = catalog_version()
    return after.catalog - before.catalog, after.stock - before.stock


# Another value than `put_on_sale` gives, by column; a new column must be here.
OTHER_VALUES = {
    **dict.fromkeys(("upstream_id", "rate_upstream_micros", "min_quantity", "max_quantity", "stock"), "77"),
    **dict.fromkeys(("rate_override_micros", "selling_rate_micros", "selling_per_thousand_micros"), "77"),
    **dict.fromkeys(("position", "rate_per_override", "bought_lately", "done_seconds", "completed_percent"), "77"),
    **dict.fromkeys(("warranty_days", "qualities", "covered_days", "speed_per_day", "missed_syncs"), "77"),
    **dict.fromkeys(("name", "type", "mapped_form", "upstream_description", "search_text", "display_name"), "'other'"),
    **dict.fromkeys(("description", "delivery_override", "paused_because", "short_title_override"), "'other'"),
    **dict.fromkeys(("short_title", "country"), "'other'"),
    **dict.fromkeys(("refill", "cancel", "visible", "left_out"), "NOT {column}"),
    **dict.fromkeys(("translated_names", "facts_override", "short_titles", "facts"), "'{{\"other\": 1}}'"),
    **dict.fromkeys(("withdrawn_at", "first_seen_at", "changed_at"), "'2020-02-02 02:02:02+00:00'"),
    "id": "id + 1000",
    "category_id": "{category}",
    "upstream_category_id": "{category}",
    "subcategory_id": "NULL",
    "upstream_subcategory_id": "subcategory_id",
    "markup_percent": "77",
}


@pytest.mark.parametrize("column", [field.column for field in Service._meta.concrete_fields])
def test_version_counts_every_column_of_a_service_but_stock_and_the_time_of_a_change(column: str) -> None:
    put_on_sale("A", subcategory="S")
    other = OTHER_VALUES[column].format(column=column, category=put_on_sale("B", category="Other").category_id)

    grown = counted_of(f"UPDATE catalog_service SET {column} = {other} WHERE name = 'A'")  # noqa: S608 - our own

    uncounted = {"stock": (0, 1), "changed_at": (0, 0)}
    assert grown == uncounted.get(column, (1, 0))
    assert uncounted.keys() == set(UNCOUNTED)


def test_version_when_stock_changes_beside_something_else_counts_both_as_one_change() -> None:
    put_on_sale("A")
    put_on_sale("B")

    assert counted_of("UPDATE catalog_service SET stock = 5, refill = NOT refill")[0] > 0
    written_elsewhere("UPDATE catalog_service SET stock = NULL")
    some = "UPDATE catalog_service SET stock = 6, refill = CASE WHEN name = 'A' THEN NOT refill ELSE refill END"
    assert counted_of(some)[0] == 1
    assert counted_of("UPDATE catalog_service SET stock = 6, refill = refill, changed_at = changed_at") == (0, 0)


def test_install_triggers_when_an_older_release_has_counted_stock_then_it_is_counted_apart() -> None:
    put_on_sale("A")
    with connection.cursor() as cursor:
        for name in triggers():
            if name.startswith("catalog_service_is_counted_on_update"):
                cursor.execute(DROP[connection.vendor].format(name=name))
        cursor.execute(OLD_TRIGGER[connection.vendor])
    assert counted_of("UPDATE catalog_service SET stock = 3") == (1, 0)
    version_before = catalog_version()

    install_triggers()

    assert catalog_version() > version_before  # what was written meanwhile may not have been counted
    assert "catalog_service_is_counted_on_update" not in triggers()
    assert counted_of("UPDATE catalog_service SET stock = 4") == (0, 1)
    assert counted_of("UPDATE catalog_service SET position = 4") == (1, 0)


def test_install_triggers_when_services_have_a_new_column_then_it_counts() -> None:
    put_on_sale("A")
    connection.check_constraints()  # or the table could not be altered in this transaction
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_service ADD COLUMN later integer")
    assert counted_of("UPDATE catalog_service SET later = 1") == (0, 0)

    install_triggers()

    assert counted_of("UPDATE catalog_service SET later = 2") == (1, 0)
    assert len([name for name in triggers() if name.startswith("catalog_service_is_counted_on_update")]) in (1, 2)


def test_install_triggers_again_writes_nothing() -> None:
    before = triggers(), catalog_version()

    install_triggers()

    assert (triggers(), catalog_version()) == before


OLD_TRIGGER = {
    "postgresql": """
        CREATE TRIGGER catalog_service_is_counted_on_update AFTER UPDATE ON catalog_service
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog_count_change()
    """,
    "sqlite": """
        CREATE TRIGGER catalog_service_is_counted_on_update AFTER update ON catalog_service BEGIN
            INSERT INTO catalog_version (id, changes) VALUES (0, 1)
            ON CONFLICT (id) DO UPDATE SET changes = changes + 1;
        END
    """,
}
DROP = {"postgresql": "DROP TRIGGER {name} ON catalog_service", "sqlite": "DROP TRIGGER {name}"}


def triggers() -> set[str]:
    return {name for name in version._installed(connection) if name.startswith("catalog_")}


def written_elsewhere(sql: str) -> None:
    """Write as another program would: nothing in this process notices."""
    with connection.cursor() as cursor:
        cursor.cursor.execute(sql)


def test_recent_version_when_another_program_wrote_is_a_second_old_at_most(client: Client, settings: Any) -> None:
    service = put_on_sale("A")
    cache.delete(VERSION_KEY)
    forget_process_version()
    known = recent_version()

    written_elsewhere("UPDATE catalog_service SET display_name = 'By hand'")

    with CaptureQueriesContext(connection) as captured:
        assert recent_version() == known
    assert len(captured) == 0
    assert 0 < cache.ttl(VERSION_KEY) <= RECENT_SECONDS == 1
    assert 0 < cache.ttl(STOCK_KEY) <= settings.STOCK_CACHE_SECONDS
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
    time.sleep(2 * version.PROCESS_SECONDS)
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
        Service.objects.filter(pk=service.pk).update(position=1)
        other = threading.Thread(target=in_another_thread)
        other.start()
        other.join()

    assert seen == [before]  # nothing is committed yet
    assert recent_version() == catalog_version() > before


def test_migrate_when_a_column_of_services_goes_then_updates_count_before_and_after() -> None:
    put_on_sale("A")
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_service ADD COLUMN later integer")
    install_triggers()

    count_plainly()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_service DROP COLUMN later")

    assert counted_of("UPDATE catalog_service SET position = 5") == (1, 0)
    install_triggers()
    assert counted_of("UPDATE catalog_service SET position = 6") == (1, 0)
    assert counted_of("UPDATE catalog_service SET stock = 6") == (0, 1)
