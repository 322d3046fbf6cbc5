"""What a restored database has forgotten is found upstream, breaks nothing, and waits for staff."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.pauses import end_pause
from orders.models import (
    ForwardingPause,
    FoundOrder,
    LostAttempt,
    Order,
    RestoreGap,
    Status,
    UpstreamAssumption,
)
from orders.reconciliation.gaps import look_into_gaps, settle_found
from orders.reconciliation.reconcile import reconcile_orders
from orders.reconciliation.restore import declare_restored, left_of_restore
from tests.orders.attention import attempt_of
from tests.security.staff import at_the_admin

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
SUBMITTED = {"_form_submitted": "True", "note": "seen in the list"}


def in_minutes(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def forget(*orders: Order) -> None:
    """As if the backup were older: nothing here stands for them any more."""
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(
        upstream_id=None, answered_at=None, sent_at=None, status=Status.CANCELED
    )


@pytest.fixture
def restored(send, place, client_upstream, service_orders_alone):
    """A shop that sent one order, keeps one waiting, and has forgotten two; it was restored, and sends again."""
    send(quantity=100)
    waiting = place(quantity=150)
    forgotten = [send(quantity=100), send(quantity=200)]
    ids = [order.upstream_id for order in forgotten]
    forget(*forgotten)
    declare_restored(known_until=None, now=in_minutes(1))
    return waiting, ids


@pytest.fixture
def service_orders_alone(sandbox):
    """Numbers and services are counted apart here: each is found once."""
    sandbox.set(status_answers_numbers=False)


def go_on(send) -> None:
    end_pause(ForwardingPause.objects.get(ended_at=None).pk, now=in_minutes(2))
    send(minutes=13, quantity=100)


def test_gap_is_looked_into_while_forwarding_is_still_paused(restored, client_upstream) -> None:
    _waiting, ids = restored

    assert look_into_gaps(client=client_upstream, now=in_minutes(2)) == 2
    assert look_into_gaps(client=client_upstream, now=in_minutes(3)) == 0

    assert sorted(FoundOrder.objects.open().values_list("upstream_id", flat=True)) == sorted(ids)
    assert FoundOrder.objects.first().charge_upstream_micros > 0
    assert RestoreGap.objects.get(kind="service").finished_at is None
    assert not UpstreamAssumption.objects.exists()


def test_gap_ends_before_the_first_order_that_is_sent_afterwards(restored, send, client_upstream) -> None:
    look_into_gaps(client=client_upstream, now=in_minutes(2))
    go_on(send)
    look_into_gaps(client=client_upstream, now=in_minutes(14))

    gap = RestoreGap.objects.get(kind="service")
    assert gap.finished_at is not None
    assert gap.last_id == int(Order.objects.latest("pk").upstream_id) - 1
    assert FoundOrder.objects.count() == 2


def test_waiting_order_is_sent_again_once_staff_said_that_what_was_found_is_not_its_own(
    restored, send, client_upstream, sam
) -> None:
    waiting, _ids = restored
    look_into_gaps(client=client_upstream, now=in_minutes(2))
    go_on(send)
    reconcile_orders(client=client_upstream, now=in_minutes(14))
    assert attempt_of(waiting).doubt == LostAttempt.Doubt.FORGOTTEN

    for found in FoundOrder.objects.open():
        assert settle_found(found.pk, note="another's", actor=sam, now=in_minutes(15))
        assert not settle_found(found.pk, note="twice", actor=sam, now=in_minutes(15))
    reconcile_orders(client=client_upstream, now=in_minutes(120))

    assert fresh(waiting).status == Status.PAID
    assert left_of_restore().unknown == 0


@pytest.fixture
def numbers(buy, client_upstream):
    """Buy a number and send it: its id is that of no service."""

    def bought() -> Order:
        [order] = buy()
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
        return fresh(order)

    return bought


@pytest.mark.parametrize("probed", [True, False])
def test_forgotten_order_whose_id_a_number_has_is_found_where_the_kinds_are_counted_apart(
    numbers, send, client_upstream, service_orders_alone, probed
) -> None:
    known, same = numbers(), numbers()
    send(quantity=100)
    forgotten = send(quantity=200)
    # Counted apart, a number may have this very id; without another to try it with, its charge tells them apart.
    forget(forgotten)
    charged = {"status": Status.COMPLETED, "charge_upstream_micros": 900_000}
    Order.objects.filter(pk=same.pk).update(upstream_id=forgotten.upstream_id, **({} if probed else charged))
    if not probed:
        forget(known)
    declare_restored(known_until=None, now=in_minutes(1))

    assert look_into_gaps(client=client_upstream, now=in_minutes(2)) == 1

    assert FoundOrder.objects.get().upstream_id == forgotten.upstream_id


def test_number_in_the_gap_of_services_is_no_forgotten_order_where_all_kinds_share_their_ids(
    numbers, send, client_upstream, sandbox
) -> None:
    sandbox.set(status_answers_numbers=True)
    numbers()
    send(quantity=100)
    numbers()
    forgotten = send(quantity=200)
    forget(forgotten)
    declare_restored(known_until=None, now=in_minutes(1))

    look_into_gaps(client=client_upstream, now=in_minutes(2))

    assert set(FoundOrder.objects.values_list("upstream_id", flat=True)) == {forgotten.upstream_id}


def test_found_order_that_turns_out_to_be_one_of_ours_is_that_orders(restored, client_upstream) -> None:
    waiting, ids = restored
    look_into_gaps(client=client_upstream, now=in_minutes(2))
    Order.objects.filter(pk=waiting.pk).update(upstream_id=ids[0], status=Status.PENDING)

    look_into_gaps(client=client_upstream, now=in_minutes(3))

    found = FoundOrder.objects.get(upstream_id=ids[0])
    assert (found.order_id, found.settled_at is not None) == (waiting.pk, True)
    assert FoundOrder.objects.open().count() == 1


def test_audit_explains_what_was_charged_for_what_was_forgotten(restored, send, client_upstream) -> None:
    silent = audit(client=client_upstream, now=in_minutes(2))
    [said] = [problem for problem in silent.problems if "upstream" in problem]
    assert said.endswith("(not all that a restored database has forgotten was asked about yet)")
    look_into_gaps(client=client_upstream, now=in_minutes(2))
    go_on(send)
    look_into_gaps(client=client_upstream, now=in_minutes(14))

    findings = audit(client=client_upstream, now=in_minutes(14))

    assert [problem for problem in findings.problems if "upstream" in problem] == []
    assert dict(findings.figures)["upstream: found after a restore, of no order here"] == "0.45 USD"


def test_gap_when_upstream_does_not_answer_is_asked_about_from_there_on(restored, client_upstream, sandbox) -> None:
    sandbox.fail_rate("500_after", 1, action="status")
    assert look_into_gaps(client=client_upstream, now=in_minutes(2)) == 0
    assert RestoreGap.objects.get(kind="service").asked_until is None

    sandbox.clear_faults()

    assert look_into_gaps(client=client_upstream, now=in_minutes(3)) == 2


def test_staff_settles_what_was_found_at_the_admin(restored, client_upstream, sam) -> None:
    look_into_gaps(client=client_upstream, now=in_minutes(2))
    found = FoundOrder.objects.first()
    desk: Client = at_the_admin(sam)

    page = desk.get(reverse("admin:orders_foundorder_change", args=[found.pk])).content.decode()
    desk.post(reverse("admin:orders_foundorder_settle", args=[found.pk]), SUBMITTED)

    found.refresh_from_db()
    assert "Of no order here" in page
    assert (found.settled_by, found.note) == (sam, "seen in the list")
