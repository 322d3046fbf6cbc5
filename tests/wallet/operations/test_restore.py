"""After a restore: no receipt's number twice, and payments that were made meanwhile are not lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.wallet.paying import btcpay_paid, start, status, stripe_paid
from wallet.models import Receipt, TopUp, Wallet
from wallet.operations.restore import (
    RECEIPTS_SKIPPED,
    NotAsked,
    UnknownPayment,
    ask_all_again,
    payments_unknown_here,
    skip_receipt_numbers,
)
from wallet.operations.sweep import check_top_ups

pytestmark = pytest.mark.django_db
BEFORE = timezone.now() - timedelta(hours=1)


def test_receipts_leave_out_what_lost_ones_may_have_and_that_is_noted(ann, stripe_server) -> None:
    stripe_paid(ann, stripe_server)
    now = timezone.now()

    gap = skip_receipt_numbers(known_until=now - timedelta(seconds=100), begun_at=None, now=now)
    again = skip_receipt_numbers(known_until=now, begun_at=now, now=now)
    stripe_paid(ann, stripe_server)

    assert gap is not None
    assert (gap.first, gap.last, again) == (2, 1 + RECEIPTS_SKIPPED + 10, gap)
    assert list(Receipt.objects.order_by("pk").values_list("number", flat=True)) == [1, gap.last + 1]


def test_receipts_of_a_shop_that_issued_none_begin_with_one(ann, stripe_server) -> None:
    assert skip_receipt_numbers(known_until=None, begun_at=None, now=timezone.now()) is None
    stripe_paid(ann, stripe_server)

    assert Receipt.objects.get().number == 1


def test_receipts_that_were_all_issued_after_the_backup_are_left_out(ann, stripe_server) -> None:
    gap = skip_receipt_numbers(known_until=BEFORE, begun_at=None, now=timezone.now())
    stripe_paid(ann, stripe_server)

    assert gap is not None
    assert (gap.first, Receipt.objects.get().number) == (1, gap.last + 1)


def test_receipts_of_a_second_loss_go_beyond_those_that_were_issued_after_the_first(ann, stripe_server) -> None:
    stripe_paid(ann, stripe_server)
    first = skip_receipt_numbers(known_until=BEFORE, begun_at=None, now=timezone.now() - timedelta(minutes=30))
    assert first is not None
    # A backup is taken; a receipt is issued beyond the gap; it is lost, too.
    second = skip_receipt_numbers(known_until=timezone.now(), begun_at=None, now=timezone.now())
    stripe_paid(ann, stripe_server)

    assert second is not None
    assert second.first == first.last + 1
    assert Receipt.objects.latest("pk").number == second.last + 1


def test_a_payment_whose_callback_came_between_backup_and_loss_is_credited(ann, stripe_server) -> None:
    top_up = start(ann, "stripe")
    TopUp.objects.update(next_check_at=None, checks=9)
    stripe_server.pay(top_up.reference)

    assert ask_all_again(now=timezone.now()) == 1
    check_top_ups()

    assert status(top_up) == TopUp.Status.PAID
    assert Wallet.objects.get(user=ann).balance_micros == 110_000_000


def test_payments_that_were_begun_after_the_backup_are_named_with_what_was_paid(
    ann, stripe_server, btcpay_server, transfers
) -> None:
    known, lost, coins = stripe_paid(ann, stripe_server), stripe_paid(ann, stripe_server), start(ann, "btcpay")
    btcpay_paid(ann, btcpay_server)
    btcpay_server.becomes(coins.reference, "Settled")
    start(ann, "stripe")  # not paid
    # What the backup does not know.
    TopUp.objects.filter(pk=lost.pk).update(reference="GONE", gateway_id="gone")
    TopUp.objects.filter(pk=coins.pk).update(reference="GONE2", gateway_id="gone2")

    found = list(payments_unknown_here(BEFORE))

    assert found == [
        UnknownPayment("stripe", lost.gateway_id, lost.reference, 10_000_000, "USD"),
        UnknownPayment("btcpay", coins.gateway_id, coins.reference, 10_000_000, "USD"),
        *[each for each in found if isinstance(each, NotAsked)],
    ]
    assert {each.gateway for each in found if isinstance(each, NotAsked)} >= {"manual"}
    assert known.reference not in str(found)


def test_a_gateway_that_does_not_answer_is_named(ann, stripe_server) -> None:
    stripe_server.close()

    [said] = [each for each in payments_unknown_here(BEFORE) if each.gateway == "stripe"]

    assert isinstance(said, NotAsked)
    assert said.why.startswith("Stripe: ")
