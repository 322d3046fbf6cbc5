"""Upstream counts in another currency than we expect: nothing is sent until the right one is back or staff says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.pauses import end_pause, look_at_account, pause_for_currency, resume_forwarding
from orders.fulfilment.poll import poll_due
from orders.lifecycle.supply import is_foreign
from orders.models import ForwardingPause, Order, UpstreamBalance
from orders.reconciliation.confirm import confirm_upstream_id
from tests.clock import stopped_at
from upstream.protocol.parsing import parse_order_status

pytestmark = pytest.mark.django_db(transaction=True)
Reason = ForwardingPause.Reason


@pytest.fixture
def poll(client_upstream):
    def poll_all(**later: float) -> int:
        now = timezone.now() + timedelta(minutes=5) + timedelta(**later)
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    return poll_all


def open_pauses() -> list[tuple[str, str]]:
    return list(ForwardingPause.objects.filter(ended_at=None).values_list("reason", "detail"))


def test_poll_when_a_status_names_another_currency_pauses_and_takes_no_charge(
    send, place, poll, client_upstream, settings
):
    order = send()
    waiting = place()
    settings.UPSTREAM_CURRENCY = "EUR"  # for the sandbox it is US dollars

    poll()
    poll(hours=1)

    order.refresh_from_db()
    assert (open_pauses(), order.charge_upstream_micros) == ([(Reason.CURRENCY, "USD")], None)
    assert Notice.objects.filter(key__startswith="pause:").count() == 1
    assert not forward_order(waiting.pk, client=client_upstream, clock=timezone.now)


def test_look_at_account_in_another_currency_pauses_and_keeps_no_balance(client_upstream, settings, db):
    settings.UPSTREAM_CURRENCY = "EUR"

    assert look_at_account(client=client_upstream, now=timezone.now()) is None

    assert open_pauses() == [(Reason.CURRENCY, "USD")]
    assert not UpstreamBalance.objects.exists()


def test_resume_forwarding_when_the_right_currency_is_seen_again_ends_the_pause(client_upstream, settings, db):
    settings.UPSTREAM_CURRENCY = "EUR"
    look_at_account(client=client_upstream, now=timezone.now())
    assert resume_forwarding(client=client_upstream, now=timezone.now()) == []
    settings.UPSTREAM_CURRENCY = "USD"

    assert resume_forwarding(client=client_upstream, now=timezone.now()) == [Reason.CURRENCY]

    assert open_pauses() == []


def test_resume_forwarding_when_statuses_and_balance_differ_for_good_leaves_it_to_staff_the_second_time(
    client_upstream, db
):
    for _time in range(2):
        pause_for_currency("EUR", of_balance=False, now=timezone.now())
        resume_forwarding(client=client_upstream, now=timezone.now())

    assert open_pauses() == [(Reason.CURRENCY, "EUR")]
    assert resume_forwarding(client=client_upstream, now=timezone.now() + timedelta(days=2)) == [Reason.CURRENCY]


def test_a_pause_that_staff_ended_does_not_begin_again_until_the_right_currency_was_seen(
    client_upstream, settings, sam
):
    settings.UPSTREAM_CURRENCY = "EUR"
    look_at_account(client=client_upstream, now=timezone.now())
    assert end_pause(ForwardingPause.objects.get().pk, actor=sam, now=timezone.now())

    look_at_account(client=client_upstream, now=timezone.now())
    assert open_pauses() == []
    settings.UPSTREAM_CURRENCY = "USD"
    look_at_account(client=client_upstream, now=timezone.now())
    settings.UPSTREAM_CURRENCY = "EUR"
    look_at_account(client=client_upstream, now=timezone.now())

    assert open_pauses() == [(Reason.CURRENCY, "USD")]


def test_a_pause_that_staff_ended_does_not_begin_again_where_statuses_and_balance_differ_for_good(client_upstream, sam):
    pause_for_currency("EUR", of_balance=False, now=timezone.now())
    assert end_pause(ForwardingPause.objects.get().pk, actor=sam, now=timezone.now())

    for _time in range(2):
        look_at_account(client=client_upstream, now=timezone.now())
        pause_for_currency("EUR", of_balance=False, now=timezone.now())

    assert open_pauses() == []


def test_confirm_upstream_id_when_the_charge_is_in_another_currency_takes_none(send, client_upstream, sandbox):
    order, twin = send(), send()
    Order.objects.filter(pk=twin.pk).update(upstream_id=None)
    sandbox.set(currency="EUR")
    sandbox.set_order(twin.upstream_id, charge="1.50")

    confirmed = confirm_upstream_id(order, twin.upstream_id, client=client_upstream, force=False)

    assert confirmed.charge_upstream_micros is None


@pytest.mark.parametrize("named", ["", ', "currency": ""', ', "currency": null', ', "currency": "usd "'])
def test_a_status_that_names_no_currency_or_ours_says_nothing(named):
    answer = parse_order_status(f'{{"status": "Pending"{named}}}'.encode())

    assert not is_foreign(answer.currency)
