"""A database that the version before wrote, with its own code, is brought to this one, and its books still add up."""

import gzip
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.goods import keep_goods
from orders.models import Order, Status
from storefront.backups.postgresql import environment
from tests.orders.conftest import place
from tests.sms.conftest import buy, project
from tests.storefront.backups.conftest import PROGRAMS, empty_database, moved_to
from tests.storefront.settings_source import ROOT
from tests.wallet.paying import demo_says, start
from wallet.gateways import State

__all__ = ["buy", "place", "project"]  # fixtures
HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the dumps are PostgreSQL's"),
]


def released() -> str:
    """The newest version that was released."""
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert found is not None
    return found[1]


def rows_of(tables: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        counted = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own tables
            counted[table] = cursor.fetchone()[0]
    return counted


@pytest.fixture
def before(tmp_path: Path) -> Iterator[dict[str, int]]:
    """The database of the version before; yields how many rows each table has."""
    script = tmp_path / "before.sql"
    script.write_bytes(gzip.decompress((HERE / f"{released()}.sql.gz").read_bytes()))
    with empty_database(tmp_path, "before") as url, moved_to(url):
        psql = [f"{PROGRAMS}/psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(script)]
        subprocess.run(psql, env=environment(), check=True, stdout=subprocess.DEVNULL, timeout=60)
        yield rows_of([name for name in connection.introspection.table_names() if not name.startswith("django_")])


def test_upgrade_from_the_version_before_loses_no_row_and_shows_and_explains_what_was_sold(
    before: dict[str, int], client: Client
) -> None:
    call_command("migrate", verbosity=0, stdout=StringIO())

    after = rows_of(list(before))
    assert {table: (before[table], count) for table, count in after.items() if count < before[table]} == {}
    assert audit(client=None, now=timezone.now(), everything=True).problems == []
    client.force_login(User.objects.get(email="ann@example.com"))
    services = Order.objects.filter(kind="service")
    assert {order.status for order in services} >= {Status.COMPLETED, Status.PARTIAL, Status.UNKNOWN, Status.PAID}
    for address in [f"/orders/{order.pk}/" for order in services] + ["/orders/", "/wallet/", reverse("sms:waiting")]:
        assert client.get(address).status_code == 200, address


@pytest.mark.skipif("RENEW_UPGRADE" not in os.environ, reason="writes the dump of a new release: see docs/upgrade.md")
def test_write_the_dump_of_this_version(
    place: Callable[..., Order], buy: Any, sandbox: Any, client_upstream: Any, ann: User, sam: User, settings: Any
) -> None:
    settings.DEBUG = True

    def sent(**asked: Any) -> Order:
        order = place(**asked)
        forward_order(order.pk, client=client_upstream, clock=timezone.now)
        order.refresh_from_db()
        return order

    done, part, going, canceled = (sent(quantity=quantity) for quantity in (100, 1000, 500, 700))
    for order, status, remains in ((done, "Completed", 0), (part, "Partial", 500), (going, "In progress", 500)):
        sandbox.set_order(order.upstream_id, status=status, remains=remains)
    sandbox.set_order(canceled.upstream_id, status="Canceled")
    for fault in ("lose_reply", "refuse"):
        sandbox.fail_next(fault, action="add")
        sent(quantity=300)
    place(quantity=400)
    numbers = [*buy(), *buy()]
    for number in numbers:
        forward_order(number.pk, client=client_upstream, clock=timezone.now)
        number.refresh_from_db()
    sandbox.deliver_code(numbers[0].upstream_id, "1234", "Your code is 1234")
    Order.objects.exclude(next_poll_at=None).update(next_poll_at=timezone.now())
    for kind in ("service", "number"):
        poll_due(kind=kind, client=client_upstream, clock=timezone.now)
    assert demo_says(start(ann, "demo"), State.PAID) == 200
    keep_goods(done, ["rosa:1234"], timezone.now())
    assert audit(client=client_upstream, now=timezone.now()).problems == []

    dumped = subprocess.run(
        [f"{PROGRAMS}/pg_dump", "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=50"],
        env=environment(), check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (HERE / f"{released()}.sql.gz").write_bytes(gzip.compress(dumped.stdout, 9))
