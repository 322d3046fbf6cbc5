"""The audit of coupons, referrals and moves by hand: silent while they add up, in words once they do not."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.models import Coupon, ReferralEarning
from tests.orders.couponing import coupon
from tests.wallet.by_hand import move
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations import approve_request, credit

pytestmark = pytest.mark.django_db
Kind = LedgerEntry.Kind


def problems() -> list[str]:
    return audit(client=None, now=timezone.now()).problems


@pytest.fixture
def sold(place, ann, ben, settings):
    """An order of Ann's, whom Ben has brought, with a coupon."""
    settings.REFERRAL_PERCENT = Decimal(20)
    User.objects.filter(pk=ann.pk).update(referred_by=ben)
    ann.refresh_from_db()
    coupon()
    return place(coupon="SPRING")


def test_audit_of_coupons_referrals_and_moves_by_hand_that_add_up_finds_nothing(sold, ann, ben, sam, tom):
    now = timezone.now()
    ReferralEarning.objects.update(state="credited", amount_micros=37_500, closed_at=now)
    credit(user=ben, amount_micros=37_500, kind=Kind.REFERRAL, reference=f"order:{sold.pk}:referral")
    move(ann, sam, -5_000_000)
    move(ann, sam, 2_000_000, MoneyRequest.Kind.WITHDRAWAL)
    approve_request(move(ann, sam, 150_000_000).pk, actor=tom)
    move(ann, sam, 160_000_000)

    assert problems() == []


def test_audit_names_a_coupon_whose_count_is_not_its_uses(sold):
    Coupon.objects.update(uses=3)

    assert problems() == ["coupon SPRING: 3 uses are counted, but 1 orders have used it"]


def test_audit_names_an_earning_that_was_not_credited(sold, ben):
    ReferralEarning.objects.update(state="credited", amount_micros=37_500)

    assert problems() == [
        f"order {sold.pk}: it earned customer {ben.pk} 0.0375 by referral, but the ledger credited 0.00"
    ]


def test_audit_names_a_credit_that_nobody_earned(sold, ben, sam):
    credit(user=ben, amount_micros=37_500, kind=Kind.REFERRAL, reference=f"order:{sold.pk}:referral")
    credit(user=sam, amount_micros=5, kind=Kind.REFERRAL, reference="for nothing")

    assert problems() == [
        f"order 0: it earned customer {sam.pk} 0.00 by referral, but the ledger credited 0.000005",
        f"order {sold.pk}: it earned customer {ben.pk} 0.00 by referral, but the ledger credited 0.0375",
    ]


def test_audit_names_an_earning_credited_to_somebody_else(sold, ann, ben):
    ReferralEarning.objects.update(state="credited", amount_micros=37_500)
    credit(user=ann, amount_micros=37_500, kind=Kind.REFERRAL, reference=f"order:{sold.pk}:referral")

    assert sorted(problems()) == sorted(
        [
            f"order {sold.pk}: it earned customer {ann.pk} 0.00 by referral, but the ledger credited 0.0375",
            f"order {sold.pk}: it earned customer {ben.pk} 0.0375 by referral, but the ledger credited 0.00",
        ]
    )


def test_audit_names_a_request_that_moved_nothing_and_a_move_that_nobody_asked_for(ann, sam):
    common = {"user": ann, "note": "n", "asked_by": sam, "state": "done"}
    MoneyRequest.objects.create(kind="withdrawal", amount_micros=7, paid_how="cash", request_id="a", **common)
    credit(user=ann, amount_micros=9, kind=Kind.ADJUSTMENT, reference="request:b", note="n", actor=sam)

    assert problems() == [
        f"move by hand request:a of customer {ann.pk}: -0.000007 was asked for and agreed, but the ledger moved 0.00",
        f"move by hand request:b of customer {ann.pk}: 0.00 was asked for and agreed, but the ledger moved 0.000009",
    ]


def test_audit_names_a_move_before_it_was_approved(ann, sam):
    asked = move(ann, sam, 150_000_000)
    reference = f"request:{asked.request_id}"
    credit(user=ann, amount_micros=150_000_000, kind=Kind.ADJUSTMENT, reference=reference, note="n", actor=sam)

    assert problems() == [
        f"move by hand {reference} of customer {ann.pk}: 0.00 was asked for and agreed, but the ledger moved 150.00"
    ]
