"""Delivered goods: encrypted, complete, for their buyer alone, every look logged."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from accounts.encryption import decrypt
from orders.fulfilment.poll import poll_due
from orders.lifecycle.goods import (
    NothingDelivered,
    keep_goods,
    reencrypt_goods,
    reveal,
    reveal_all,
)
from orders.models import DeliveredGoods, GoodsReveal, Status
from tests.clock import stopped_at

ONE, TWO, THREE = "rosa@example.com:pa:ss----x", "ida@example.com|päss", "uma@example.com:line\nbreak"
NEW_KEY = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldzE="
pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(client_upstream):
    def poll_all(days: int) -> None:
        poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=days)))

    return poll_all


def test_poll_when_a_status_carries_accounts_then_they_are_kept_encrypted_and_nowhere_else(
    sent_order, poll, sandbox, ann, caplog
):
    caplog.set_level("DEBUG")
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0, accounts=[ONE, TWO])

    poll(1)

    sent_order.refresh_from_db()
    assert sent_order.status == Status.COMPLETED
    assert reveal(sent_order, ann, "203.0.113.9") == [ONE, TWO]
    assert "accounts" not in sent_order.upstream_payload
    assert sent_order.goods.pieces == 2
    everything = " ".join(str(value) for value in vars(sent_order).values())
    everything += " ".join(str((event.data, event.evidence)) for event in sent_order.events.all())
    for open_text in (sent_order.goods.encrypted, everything, caplog.text):
        assert "rosa" not in open_text


def test_poll_when_the_only_news_are_accounts_then_they_are_kept_too(sent_order, poll, sandbox, ann):
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)
    poll(1)
    sandbox.set_order(sent_order.upstream_id, accounts=[ONE])
    poll(2)
    sandbox.set_order(sent_order.upstream_id, accounts=[TWO])
    poll(4)
    sandbox.set_order(sent_order.upstream_id, accounts=[])
    poll(8)

    assert reveal(sent_order, ann, None) == [ONE, TWO]


def test_poll_when_the_accounts_are_known_then_nothing_is_written_again(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0, accounts=[ONE, ONE, THREE])
    poll(1)
    before = DeliveredGoods.objects.values().get()

    poll(2)

    assert DeliveredGoods.objects.values().get() == before
    assert before["pieces"] == 3


def test_keep_goods_when_it_is_repeated_or_gets_less_then_nothing_is_lost(sent_order, ann):
    now = timezone.now()
    for accounts in ([ONE, TWO], [ONE, TWO], [TWO], [], [TWO, TWO, THREE]):
        keep_goods(sent_order, accounts, now)

    assert reveal(sent_order, ann, None) == [ONE, TWO, TWO, THREE]
    assert DeliveredGoods.objects.get().pieces == 4


def test_keep_goods_when_the_key_is_gone_then_what_is_encrypted_stays_for_the_day_it_returns(sent_order, ann, settings):
    keep_goods(sent_order, [ONE], timezone.now())
    keys, settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS, [NEW_KEY]

    keep_goods(sent_order, [ONE, TWO], timezone.now())
    settings.FIELD_ENCRYPTION_KEYS = keys

    assert reveal(sent_order, ann, None) == [ONE]


def test_reveal_when_the_buyer_looks_then_each_look_is_counted_in_one_row_a_day(sent_order, ann):
    keep_goods(sent_order, [ONE], timezone.now())
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    looks = [(0, "203.0.113.9"), (1, "2001:db8::1"), (2, "unknown"), (13, "203.0.113.9"), (14, None)]

    for hours, address in looks:
        reveal_all([sent_order], user=ann, address=address, now=noon + timedelta(hours=hours))

    rows = GoodsReveal.objects.filter(goods__order=sent_order, user=ann).order_by("id")
    assert [(row.day.day, row.looks, row.address, row.last_address) for row in rows] == [
        (1, 3, "203.0.113.9", None),
        (2, 2, "203.0.113.9", None),
    ]
    assert [(row.created_at, row.last_at) for row in rows] == [
        (noon, noon + timedelta(hours=2)),
        (noon + timedelta(hours=13), noon + timedelta(hours=14)),
    ]


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_reveal_many_times_at_once_counts_every_look(sent_order, ann):
    keep_goods(sent_order, [ONE], timezone.now())
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def look(_number):
        try:
            reveal_all([sent_order], user=ann, address=None, now=noon)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(8)))

    assert GoodsReveal.objects.get().looks == 8


def test_reveal_when_anybody_else_asks_staff_included_then_nothing_is_shown_or_logged(sent_order, ben, sam):
    keep_goods(sent_order, [ONE], timezone.now())

    for user in (ben, sam):
        with pytest.raises(PermissionDenied):
            reveal(sent_order, user, None)

    assert not GoodsReveal.objects.exists()


def test_reveal_when_nothing_was_delivered_then_says_so(sent_order, ann):
    with pytest.raises(NothingDelivered):
        reveal(sent_order, ann, None)


def test_reencrypt_goods_when_a_new_key_is_in_front_then_the_old_one_is_needed_no_more(sent_order, ann, settings):
    keep_goods(sent_order, [ONE], timezone.now())
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY, *settings.FIELD_ENCRYPTION_KEYS]

    assert (reencrypt_goods(), reencrypt_goods()) == (1, 0)

    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY]
    assert reveal(sent_order, ann, None) == [ONE]
    assert "rosa" in decrypt(DeliveredGoods.objects.get().encrypted)
