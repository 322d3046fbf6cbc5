"""Attack: change in the database what only grows, its triggers switched off; the audit says what and of which day."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.append_only import EVENTS, empty_old_columns
from accounts.models import RetentionAge, TrailEntry, User
from accounts.trail import Action, record
from orders.accounting.audit import audit
from orders.accounting.audit.day_digests import write_day_digests
from orders.models import OrderEvent
from tests.emptying import tampering
from tests.storefront.admin_rows import make_order, make_service
from wallet.models import LedgerEntry, Receipt, TopUp
from wallet.receipts import issue_receipt

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def problems(*, everything: bool = True) -> list[str]:
    found = audit(client=None, now=timezone.now(), everything=everything).problems
    return [problem for problem in found if "upstream" not in problem]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"actor": "somebody else"}, "it was changed"),
        ({"after": {"amount": 1}}, "it was changed"),
        ({"address": "192.0.2.1"}, "its address or browser was changed"),
        ({"hash": "0" * 64}, "it was changed"),
        ({"number": 99}, "an entry before it is missing"),
    ],
)
def test_audit_when_an_entry_was_changed_then_the_first_broken_one_is_named(
    sam: User, change: dict[str, Any], said: str
) -> None:
    entries = [record(Action.CHANGED, actor=sam) for _each in range(4)]
    assert problems() == []

    with tampering():
        TrailEntry._base_manager.filter(pk=entries[1].pk).update(**change)

    number = change.get("number", entries[1].number)
    expected = entries[2].number if "number" in change else number
    assert problems()[0] == f"trail entry {expected} of {timezone.now():%Y-%m-%d}: {said}"


def test_audit_when_an_entry_was_taken_out_then_the_one_after_it_is_named(sam: User) -> None:
    entries = [record(Action.CHANGED, actor=sam) for _each in range(3)]

    with tampering():
        TrailEntry._base_manager.filter(pk=entries[1].pk).delete()

    assert problems() == [
        f"trail entry {entries[2].number} of {timezone.now():%Y-%m-%d}: an entry before it is missing"
    ]


@pytest.fixture
def three_days(ann: User) -> list[str]:
    """Ledger rows, events and receipts of three days, each with its digest; returns the days."""
    begin = (timezone.now() - timedelta(days=4)).replace(hour=12)
    service = make_service(1)
    for number in range(3):
        moment = begin + timedelta(days=number)
        order = make_order(ann, service=service)
        for row in range(2):
            OrderEvent.objects.create(
                order=order, code="claimed", status="paid", evidence={"x": row}, created_at=moment
            )
            LedgerEntry.objects.create(
                wallet=ann.wallet, kind="bonus", amount_micros=1, reference=f"{number} {row}", created_at=moment
            )
        top_up = TopUp.objects.create(user=ann, gateway="manual", currency="USD", amount_micros=1, pay_micros=1)
        issue_receipt(top_up, now=moment)
    with tampering():  # the rows that fixtures made today would close the first day before it began
        LedgerEntry._base_manager.filter(created_at__gte=begin + timedelta(days=3)).update(created_at=begin)
        OrderEvent.objects.filter(code="placed").update(created_at=begin)
    assert write_day_digests(now=timezone.now()) >= 3
    assert write_day_digests(now=timezone.now()) == 0
    return [f"{begin + timedelta(days=number):%Y-%m-%d}" for number in range(3)]


def broken() -> list[str]:
    return [problem for problem in problems() if "of 20" in problem]


def test_audit_when_nobody_tampered_then_every_day_is_as_it_was(three_days: list[str]) -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (LedgerEntry, {"amount_micros": 2}),
        (LedgerEntry, {"note": "x"}),
        (OrderEvent, {"data": {"forged": 1}}),
        (OrderEvent, {"status": "failed"}),
        (Receipt, {"total_micros": 5}),
    ],
)
def test_audit_when_a_row_was_changed_then_its_day_is_named(
    three_days: list[str], model: Any, change: dict[str, Any]
) -> None:
    row = (
        model._base_manager.order_by("created_at", "pk").filter(created_at__startswith=three_days[1])[0]
        if connection.vendor == "sqlite"
        else model._base_manager.filter(created_at__date=three_days[1]).order_by("pk")[0]
    )

    with tampering():
        model._base_manager.filter(pk=row.pk).update(**change)

    words = {LedgerEntry: "ledger rows", OrderEvent: "order events", Receipt: "receipts"}[model]
    assert broken() == [f"{words} of {three_days[1]}: not what they were the night after"]


def test_audit_when_rows_were_taken_out_or_moved_to_another_day_then_the_day_is_named(three_days: list[str]) -> None:
    rows = LedgerEntry._base_manager.filter(reference__startswith="1 ")
    with tampering():
        rows.filter(reference="1 0").update(created_at=timezone.now())
    assert broken() == [f"ledger rows of {three_days[1]}: not what they were the night after"]

    with tampering():
        rows.all()._raw_delete(rows.db)
    assert broken() == [f"ledger rows of {three_days[1]}: 0 rows, but there were 2 the night after"]


def test_audit_when_retention_emptied_evidence_then_the_day_is_still_as_it_was(three_days: list[str]) -> None:
    RetentionAge.objects.update(days=0)

    assert empty_old_columns(EVENTS, OrderEvent.objects.filter(code="claimed")) == 6

    assert broken() == []


def test_audit_when_a_digest_was_taken_out_then_the_gap_is_named(three_days: list[str]) -> None:
    digests = TrailEntry.objects.filter(action=Action.DIGEST).order_by("number")
    with tampering():
        TrailEntry._base_manager.filter(pk=digests[1].pk).delete()

    assert any("no digest between" in problem for problem in problems())
    assert any("an entry before it is missing" in problem for problem in problems())


def test_audit_when_a_trigger_is_off_then_it_says_so() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE wallet_receipt DISABLE TRIGGER never_truncated")
        else:
            cursor.execute("DROP TRIGGER wallet_receipt_delete")

    assert problems() == ["receipts: a trigger that protects them is gone or off"]
