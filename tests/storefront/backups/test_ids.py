"""Numbers that may have been promised are given to nobody after a restore."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiKey, User
from orders.models import Order
from storefront.backups.ids import JUMP, JUMP_A_SECOND, SEQUENCES, MayNotSkip, NoRoomToJump, jump_since, skip_ids
from support.models import Ticket
from tests.orders.conftest import place

__all__ = ["place"]  # a fixture
pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _as_before(db: None) -> Iterator[None]:
    """PostgreSQL takes no part of a sequence back with a transaction: other tests go on counting where they were."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        before = [(sequence, last) for sequence, _table, _highest, last in cursor.fetchall()]
    yield
    with connection.cursor() as cursor:
        for sequence, last in before:
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [sequence, last or 1, last is not None])


def test_numbers_of_every_table_jump(place, ann: User) -> None:
    before = place().pk

    jumped = skip_ids()

    assert {model._meta.db_table for model in (Order, User, ApiKey, Ticket)} <= set(jumped)
    assert place().pk > before + JUMP
    assert User.objects.create_user("zoe@example.com").pk > ann.pk + JUMP


def test_numbers_of_a_table_that_was_empty_jump_too(ann: User) -> None:
    skip_ids()

    assert Ticket.objects.create(user=ann, subject="x", waiting_since=timezone.now()).pk > JUMP


def test_jump_grows_with_time_so_that_a_second_restore_of_the_same_backup_repeats_nothing() -> None:
    now = timezone.now()
    dumped = now - timedelta(hours=3)

    first, second = jump_since(dumped, now), jump_since(dumped, now + timedelta(hours=1))

    assert first == JUMP + 3 * 3600 * JUMP_A_SECOND
    assert second - first == 3600 * JUMP_A_SECOND  # as many as may have been given out between the two
    assert jump_since(None, now) == JUMP


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's numbers have no end that could be reached")
def test_jump_that_does_not_fit_is_refused_and_no_number_has_changed(place) -> None:
    before = place().pk

    with pytest.raises(NoRoomToJump, match="is more than its numbers go to"):
        skip_ids(2**63 - 2)

    assert place().pk == before + 1


def test_numbers_that_this_role_may_not_skip_are_refused_in_words(place) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    place()
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("CREATE ROLE may_nothing")
        cursor.execute("SET LOCAL ROLE may_nothing")
        with pytest.raises(MayNotSkip, match="set MIGRATION_DATABASE_URL"), transaction.atomic():
            skip_ids()
        cursor.execute("RESET ROLE")
        cursor.execute("DROP ROLE may_nothing")
