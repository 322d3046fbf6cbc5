"""Attack: whoever has taken over the running shop, and with it its role of the database, tidies up after themselves."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.append_only import EVENTS, PROTECTED
from accounts.models import RetentionAge, TrailEntry, User
from accounts.trail import Action, record
from catalog.models import Service
from orders.lifecycle.retention import LONGEST_ORDER
from orders.models import Order, OrderEvent, Status
from orders.placing.place import place_order
from storefront.postgresql.roles import WHERE
from storefront.retention import forget_old_rows
from tests.emptying import tampering
from tests.storefront.admin_rows import make_order
from wallet.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)
ROLE = f"running_{os.getpid()}"


@pytest.fixture
def as_running_role(settings: Any) -> Iterator[Any]:
    """A function after whose call this process works as the role that runs the shop."""
    assert connection.vendor == "postgresql"
    owner = dict(connection.settings_dict)
    settings.MIGRATION_DATABASE = {key: owner[key] for key in WHERE}

    def begin() -> None:
        connection.close()
        # One dictionary: `settings.DATABASES` sees it as well.
        connection.settings_dict["USER"] = ROLE
        call_command("database_roles", verbosity=0)

    yield begin
    connection.close()
    connection.settings_dict.update(owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if cursor.fetchone():
            cursor.execute(f"DROP OWNED BY {ROLE}")
            cursor.execute(f"DROP ROLE {ROLE}")


def test_running_role_when_the_shop_works_then_it_may_do_all_of_it(
    as_running_role: Any, ann: User, sam: User, service: Service, client: Client
) -> None:
    days = RetentionAge.objects.get(name=EVENTS.age).days
    long_ago = timezone.now() - timedelta(days=days + 1) - LONGEST_ORDER
    old = make_order(ann, service=service, status=Status.COMPLETED, finished_at=long_ago)
    with tampering():
        OrderEvent.objects.update(created_at=long_ago, evidence={"x": 1}, code="claimed")
    as_running_role()

    client.force_login(ann)
    bought = place_order(
        user=ann,
        service=Service.objects.select_related("category").get(pk=service.pk),
        quantity=1000,
        link="https://instagram.com/ann",
        request_id="one press",
        now=timezone.now(),
    )
    client.force_login(sam)
    posted = client.post(
        reverse("admin:accounts_customergroup_add"),
        {"name": "Friends", "discount_percent": "5", "cashback_percent": "0", "spend_from_micros": "0"},
    )
    forgotten = forget_old_rows(now=timezone.now())

    assert Order.objects.filter(pk=bought.pk).exists()
    assert LedgerEntry.objects.filter(kind="charge").count() == 1
    assert posted.status_code == 302
    assert TrailEntry.objects.filter(action=Action.ADDED).exists()
    assert forgotten["wipe_order_evidence"] == 1
    assert OrderEvent.objects.get(order=old).evidence == {}


def test_running_role_when_it_tidies_up_then_the_database_refuses(
    as_running_role: Any, ann: User, service: Service
) -> None:
    order = make_order(ann, service=service)
    event = OrderEvent.objects.filter(order=order)[0]
    record(Action.CHANGED, actor=ann)
    as_running_role()
    attacks = [
        "SET session_replication_role = replica",
        "UPDATE accounts_retentionage SET days = 0",
        "DELETE FROM django_migrations",
        "CREATE TABLE mine (id int)",
        "DROP TABLE accounts_trailentry",
        "DROP FUNCTION shop_only_grows CASCADE",
        "CREATE OR REPLACE FUNCTION shop_only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER TABLE accounts_user ADD COLUMN mine int",
        "TRUNCATE accounts_user CASCADE",
        f"ALTER ROLE {ROLE} SUPERUSER",
    ]
    for one in PROTECTED:
        attacks += [
            f"UPDATE {one.table} SET id = id",  # noqa: S608
            f"DELETE FROM {one.table}",  # noqa: S608
            f"TRUNCATE {one.table}",
            f"ALTER TABLE {one.table} DISABLE TRIGGER ALL",
            f"ALTER TABLE {one.table} DISABLE TRIGGER only_grows",
            f"DROP TRIGGER only_grows ON {one.table}",
            f"CREATE RULE nothing AS ON INSERT TO {one.table} DO INSTEAD NOTHING",
            f"SELECT id FROM {one.table} FOR UPDATE",  # noqa: S608
        ]

    for attack in attacks:
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)

    # Of retention it may ask, and gets what is old enough; a table of its own in the place of the ages helps nothing.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE accounts_retentionage (name text, days int)")
        cursor.execute("INSERT INTO pg_temp.accounts_retentionage VALUES (%s, -1000)", [EVENTS.age])
    with pytest.raises(DatabaseError, match="never edited"), connection.cursor() as cursor:
        cursor.execute("SELECT shop_empty_orders_orderevent(%s)", [[event.pk]])


def test_migrate_when_there_are_two_roles_then_it_works_as_the_one_and_grants_to_the_other(
    as_running_role: Any, ann: User
) -> None:
    as_running_role()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLE,)

    call_command("migrate", verbosity=0)

    assert User.objects.filter(pk=ann.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLE,)
