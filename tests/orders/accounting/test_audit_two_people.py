"""The audit of who moved money by hand for whom, and who agreed: rows that a page would have refused are named."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.accounting.audit.two_people import RULES_CAME_WITH
from tests.wallet.by_hand import move
from wallet.models import LedgerEntry, MoneyRequest, TopUp
from wallet.operations import adjust, approve_request, confirm_top_up, credit

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
Kind = LedgerEntry.Kind
DOLLAR = 1_000_000


def problems() -> list[str]:
    return audit(client=None, now=timezone.now()).problems


def tie(customer: User, brought_by: User | None) -> None:
    User.objects.filter(pk=customer.pk).update(referred_by=brought_by)


def transfer(user: User, **fields: Any) -> TopUp:
    """A transfer of 10.00 that nobody has confirmed."""
    values = {"gateway": "manual", "currency": "USD", "amount_micros": 10 * DOLLAR, "pay_micros": 10 * DOLLAR}
    return TopUp.objects.create(user=user, **{"reference": "TRANSFER2345", **values, **fields})


def plant_confirmation(user: User, maker: User | None, micros: int, *, in_ledger: User | None) -> None:
    """A transfer that came in as somebody with a console would write it: the ledger agrees with it."""
    came_in = {"received_micros": micros, "credited_micros": micros, "status": "paid", "paid_at": timezone.now()}
    top_up = transfer(user, confirmed_by=maker, **came_in)
    reference = f"top_up:{top_up.reference}"
    credit(user=user, amount_micros=micros, kind=Kind.TOP_UP, reference=reference, actor=in_ledger)


def plant_request(user: User, maker: User, second: User) -> MoneyRequest:
    """A request that was done as it should not have been, with the row it moved."""
    asked = MoneyRequest.objects.create(
        user=user,
        kind="adjustment",
        amount_micros=5 * DOLLAR,
        note="sorry",
        request_id="planted",
        needs_second=True,
        state="done",
        asked_by=maker,
        decided_by=second,
        decided_at=timezone.now(),
    )
    adjust(user=user, amount_micros=5 * DOLLAR, note="sorry", actor=maker, reference="request:planted")
    return asked


def test_audit_of_what_the_pages_allow_finds_nothing(ann, ben, sam, tom):
    move(ann, sam, 5 * DOLLAR)
    approve_request(move(ann, sam, 500 * DOLLAR).pk, actor=tom)
    confirm_top_up(top_up=transfer(ben), received_micros=10 * DOLLAR, actor=sam)
    more = confirm_top_up(top_up=transfer(ann, reference="B" * 12), received_micros=30 * DOLLAR, actor=sam)
    approve_request(more.pk, actor=tom)

    assert problems() == []


def test_audit_names_a_fortune_for_a_transfer_of_ten(ann, sam):
    plant_confirmation(ann, sam, 900_000_000 * DOLLAR, in_ledger=sam)

    assert problems() == [
        f"payment TRANSFER2345: 900000000.00 was confirmed by customer {sam.pk} where 10.00 was asked for, and nobody"
        " approved it"
    ]


def test_audit_names_it_too_where_only_the_payment_or_only_the_ledger_says_who(ann, sam):
    plant_confirmation(ann, None, 11 * DOLLAR, in_ledger=None)

    assert problems() == [
        "payment TRANSFER2345: 11.00 was confirmed by nobody who is named where 10.00 was asked for, and nobody"
        " approved it",
        "payment TRANSFER2345 of 11.00 by transfer does not say who confirmed it",
    ]


def test_audit_names_more_than_a_second_person_agreed_to(ann, sam, tom):
    asked = confirm_top_up(top_up=transfer(ann), received_micros=30 * DOLLAR, actor=sam)
    approve_request(asked.pk, actor=tom)
    TopUp.objects.update(received_micros=40 * DOLLAR, credited_micros=40 * DOLLAR)
    reference = "top_up:TRANSFER2345:more:40000000"
    credit(user=ann, amount_micros=10 * DOLLAR, kind=Kind.TOP_UP, reference=reference, actor=sam)

    assert problems() == [
        "payment TRANSFER2345: 30.00 was confirmed by hand, but the ledger got 40.00 from staff",
        f"payment TRANSFER2345: 40.00 was confirmed by customer {sam.pk} where 10.00 was asked for, and nobody"
        " approved it",
    ]


def test_audit_compares_what_a_gateway_was_asked_only_where_staff_said_more(ann, sam):
    """A gateway may be paid more than it asked for; that staff looked at it makes it no act of theirs."""
    came_in = {"received_micros": 11 * DOLLAR, "credited_micros": 11 * DOLLAR, "status": "paid", "confirmed_by": sam}
    transfer(ann, gateway="demo", **came_in)
    credit(user=ann, amount_micros=11 * DOLLAR, kind=Kind.TOP_UP, reference="top_up:TRANSFER2345")
    assert problems() == []

    TopUp.objects.update(received_micros=12 * DOLLAR, credited_micros=12 * DOLLAR)
    reference = "top_up:TRANSFER2345:more:12000000"
    credit(user=ann, amount_micros=DOLLAR, kind=Kind.TOP_UP, reference=reference, actor=sam)
    [problem] = problems()
    assert problem.startswith("payment TRANSFER2345: 12.00 was confirmed by")


@pytest.mark.parametrize("whose", ["own", "whom one brought", "who brought one"])
def test_audit_names_money_that_staff_moved_for_itself_or_a_referral_relation(ann, sam, whose):
    owner = sam if whose == "own" else ann
    tie(ann, sam if whose == "whom one brought" else None)
    tie(sam, ann if whose == "who brought one" else None)
    plant_confirmation(owner, sam, 10 * DOLLAR, in_ledger=sam)
    adjust(user=owner, amount_micros=-DOLLAR, note="sorry", actor=sam, reference="planted")

    who = "that customer" if whose == "own" else f"customer {sam.pk}, who is tied to that one by a referral"
    assert problems() == [
        f"top-up top_up:TRANSFER2345 of 10.00 for customer {owner.pk} was made by {who}",
        f"adjustment planted of -1.00 for customer {owner.pk} was made by {who}",
    ]


def test_audit_names_a_request_whose_maker_is_its_owner(sam, tom):
    asked = plant_request(sam, sam, tom)

    assert problems() == [
        f"adjustment request:planted of 5.00 for customer {sam.pk} was made by that customer",
        f"move by hand {asked.pk} (adjustment) of 5.00 for customer {sam.pk} was made by that customer",
    ]


@pytest.mark.parametrize("tied", ["second to owner", "owner to second", "second to maker", "maker to second"])
def test_audit_names_a_second_person_who_is_tied_to_what_they_agreed_to(ann, sam, tom, tied):
    people = {"second": tom, "owner": ann, "maker": sam}
    who, by = tied.split(" to ")
    tie(people[who], people[by])
    asked = plant_request(ann, sam, tom)

    assert problems() == [
        f"move by hand {asked.pk} (adjustment) of 5.00 for customer {ann.pk} was approved by customer {tom.pk},"
        " who is tied to it: as its owner, its maker, or by a referral"
    ]


def test_audit_names_a_confirmation_that_credited_something_else(ann, sam):
    confirm_top_up(top_up=transfer(ann), received_micros=10 * DOLLAR, actor=sam)
    MoneyRequest.objects.update(amount_micros=9 * DOLLAR)

    assert problems() == [
        "payment TRANSFER2345: 9.00 was confirmed by hand, but the ledger got 10.00 from staff",
    ]


def test_audit_counts_what_was_moved_before_the_rules_and_does_not_judge_it(ann, sam):
    app, name = RULES_CAME_WITH
    adjust(user=sam, amount_micros=DOLLAR, note="sorry", actor=sam, reference="long ago")
    applied = MigrationRecorder.Migration.objects.filter(app=app, name=name)
    assert applied.update(applied=timezone.now() + timedelta(minutes=1)) == 1

    books = audit(client=None, now=timezone.now())

    assert books.problems == []
    assert ("by hand before these rules, not judged", "1") in books.figures


@pytest.mark.parametrize("more", [False, True])
def test_audit_judges_an_old_payment_where_it_got_a_row_since_the_rules_came(ann, more):
    """A payment may have come in before the rules, and be credited again after them: its name then has a suffix."""
    app, name = RULES_CAME_WITH
    plant_confirmation(ann, None, 10 * DOLLAR, in_ledger=None)
    TopUp.objects.update(paid_at=timezone.now())
    MigrationRecorder.Migration.objects.filter(app=app, name=name).update(applied=timezone.now())
    if more:
        came_in = {"received_micros": 11 * DOLLAR, "credited_micros": 11 * DOLLAR}
        asked = {"amount_micros": 11 * DOLLAR, "pay_micros": 11 * DOLLAR}
        TopUp.objects.update(**came_in, **asked)
        credit(user=ann, amount_micros=DOLLAR, kind=Kind.TOP_UP, reference="top_up:TRANSFER2345:more:11000000")

    books = audit(client=None, now=timezone.now())

    judged = ["payment TRANSFER2345 of 11.00 by transfer does not say who confirmed it"]
    assert books.problems == (judged if more else [])
    assert (("by hand before these rules, not judged", "1") in books.figures) is not more
