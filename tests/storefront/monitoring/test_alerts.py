"""What the shop tells its admins about itself: once when the books stop adding up, once when they do again."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from storefront.metrics.shop_facts import _jobs
from storefront.monitoring.alerts import audit_and_tell, books_wrong_since
from storefront.monitoring.scheduled_jobs import last_runs
from storefront.tasks import audit_books, fetch_exchange_rate
from tests.orders.conftest import place
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
__all__ = ["place"]  # a fixture


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.filter(user=None).order_by("id").values_list("key", "subject"))


def spoil(user: Any, micros: int) -> None:
    Wallet.objects.filter(user=user).update(balance_micros=micros)


def test_audit_and_tell_tells_once_per_episode_and_once_that_it_is_over(ann: Any) -> None:
    audit_and_tell(client=None)
    assert told() == []

    for micros in (1, 2):  # two nights
        spoil(ann, micros)
        audit_and_tell(client=None)
    assert told() == [("audit:1", "The audit found 1 problem")]
    assert "wallet of ann@example.com: balance 0.000001, but its ledger adds up to 100.00" in Notice.objects.get().body
    assert "/admin/orders/books/" in Notice.objects.get().body

    spoil(ann, 100_000_000)
    for _night in range(2):
        audit_and_tell(client=None)
    assert told()[1:] == [("audit:1:over", "The books add up again")]

    spoil(ann, 3)
    audit_and_tell(client=None)
    assert [key for key, _subject in told()] == ["audit:1", "audit:1:over", "audit:2"]


@pytest.mark.django_db(transaction=True)
def test_audit_books_when_upstream_cannot_be_read_neither_alarms_nor_clears(
    place: Any, ann: Any, sandbox: Any, settings: Any, client_upstream: Any
) -> None:
    forward_order(place().pk, client=client_upstream, clock=timezone.now)
    settings.UPSTREAM_KEY = "refused"

    audit_books()
    assert told() == []

    spoil(ann, 1)
    audit_books()
    spoil(ann, 98_125_000)
    audit_books()
    assert [key for key, _subject in told()] == ["audit:1"]

    settings.UPSTREAM_KEY = sandbox.key
    audit_books()
    assert [key for key, _subject in told()] == ["audit:1", "audit:1:over"]


def problems_told() -> float | None:
    """What /metrics says of the books; None: nothing yet."""
    figure = _jobs(timezone.now()).get("shop_audit_problems")
    return None if figure is None else figure[0][1]


def by_hand(*arguments: str) -> bool:
    """Run `manage.py audit` and return whether the books add up."""
    try:
        call_command("audit", *arguments, stdout=StringIO(), stderr=StringIO())
    except SystemExit:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_audit_by_hand_when_the_books_are_wrong_and_right_again_begins_and_ends_the_alert(
    ann: Any, sandbox: Any
) -> None:
    assert problems_told() is None
    spoil(ann, 1)

    assert not by_hand()
    assert (problems_told(), books_wrong_since() is not None) == (1, True)
    assert [key for key, _subject in told()] == ["audit:1"]

    spoil(ann, 100_000_000)
    assert by_hand("--offline")  # the supplier's account may be what is wrong
    assert (problems_told(), books_wrong_since() is not None) == (1, True)

    assert by_hand()
    assert (problems_told(), books_wrong_since()) == (0, None)
    assert [key for key, _subject in told()] == ["audit:1", "audit:1:over"]
    run = next(run for run in last_runs(timezone.now()) if run.name == "audit_books")
    assert (run.ran, run.failed) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_audit_of_everything_when_it_found_something_then_only_such_a_one_ends_the_alert(
    ann: Any, sandbox: Any
) -> None:
    spoil(ann, 1)
    assert not by_hand("--all")
    spoil(ann, 100_000_000)

    assert by_hand()  # which looks at less
    assert (problems_told(), books_wrong_since() is not None) == (1, True)

    assert by_hand("--all")
    assert (problems_told(), books_wrong_since()) == (0, None)
    assert [key for key, _subject in told()] == ["audit:1:all", "audit:1:over"]


@pytest.mark.django_db(transaction=True)
def test_audit_by_hand_when_there_is_no_supplier_to_ask_then_it_ends_no_alert(
    ann: Any, sandbox: Any, settings: Any
) -> None:
    spoil(ann, 1)
    assert not by_hand()
    spoil(ann, 100_000_000)
    settings.UPSTREAM_KEY = ""

    assert by_hand()

    assert (problems_told(), books_wrong_since() is not None) == (1, True)


def test_fetch_exchange_rate_when_there_is_none_tells_once_a_day(settings: Any) -> None:
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", Decimal(2)
    settings.EXCHANGE_RATE_SOURCE = "nowhere.rate"

    fetch_exchange_rate()
    fetch_exchange_rate()

    [(key, subject)] = told()
    assert key.startswith("exchange-rate:")
    assert subject == "The exchange rate needs your attention"
    assert "nowhere.rate failed: ModuleNotFoundError" in Notice.objects.get().body
