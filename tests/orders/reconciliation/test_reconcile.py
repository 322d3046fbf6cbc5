"""Lost answers: adopted or sent again with proof, left to a human without."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders.attempts.assumptions import probe_foreign_ids
from orders.attempts.windows import Window, newest_upstream_id, window_of
from orders.fulfilment import forward as engine
from orders.fulfilment.forward import forward_order, release_stale_claims
from orders.models import LostAttempt, Order, OrderEvent, Status, UpstreamAssumption, UpstreamBalance
from orders.reconciliation.reconcile import close_window, reconcile_orders
from orders.reconciliation.resolve import close_question, resolve_as_not_placed, resolve_by_refund
from orders.reconciliation.restore import declare_restored
from sms.models import Number
from tests.clock import stopped_at
from tests.orders.attention import Flag, attempt_of, flags_of, make_lost

pytestmark = pytest.mark.sqlite

Code = OrderEvent.Code
Doubt = LostAttempt.Doubt
State = LostAttempt.State


@pytest.fixture
def send(place, client_upstream):
    """Place and forward an order, `minutes` from now; `fault` is what happens to its answer."""

    def send_one(*, minutes: float = 0, **asked) -> Order:
        at = timezone.now() + timedelta(minutes=minutes)
        order = place(**asked)
        assert forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
        order.refresh_from_db()
        return order

    return send_one


@pytest.fixture
def lose(send, sandbox):
    """Send an order whose answer is lost; placed upstream or not."""

    def lose_one(*, placed: bool, **asked) -> Order:
        sandbox.fail_next("lose_reply" if placed else "lose_request", action="add")
        order = send(**asked)
        assert order.status == Status.UNKNOWN
        return order

    return lose_one


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_lost_order_that_was_placed_is_adopted_once_the_window_is_closed(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=True)
    send(minutes=1)
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    closer = send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    lost_id = sandbox.orders[1]["id"]
    order = fresh(lost)
    assert (order.status, order.upstream_id, flags_of(order)) == (Status.PENDING, str(lost_id), [])
    assert (attempt_of(order).state, attempt_of(order).upstream_id) == (State.ADOPTED, str(lost_id))
    assert attempt_of(order).evidence["window"]["closed_by"] == closer.pk
    assert order.events.last().code == Code.ACCEPTED
    assert len(sandbox.orders) == 4


def test_a_lost_order_that_was_not_placed_is_sent_again_once_that_is_proved(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=False)
    send(minutes=1)
    send(minutes=11)
    assert len(sandbox.orders) == 3

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
    assert forward_order(lost.pk, client=client_upstream, clock=timezone.now)

    assert fresh(lost).status == Status.PENDING
    assert attempt_of(lost).state == State.ABSENT
    assert len(sandbox.orders) == 4


def test_an_order_whose_window_is_open_waits_and_says_so(send, lose, client_upstream):
    send()
    lost = lose(placed=True)
    send(minutes=9)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    order = fresh(lost)
    assert order.status == Status.UNKNOWN
    assert attempt_of(order).doubt == Doubt.OPEN
    assert flags_of(order) == [Flag.PERHAPS_PLACED]


def test_an_order_without_an_id_before_it_is_left_to_the_admin(lose, send, client_upstream):
    lost = lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert "no beginning" in attempt_of(lost).doubt_text


def test_a_window_that_is_too_wide_is_not_scanned(send, lose, client_upstream, sandbox, settings):
    settings.RECONCILE_MAX_WINDOW = 2
    send()
    lost = lose(placed=True)
    for minute in (1, 2, 3):
        send(minutes=minute)
    send(minutes=11)
    asked = sum(request["action"] == "status" for request in sandbox.requests)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert attempt_of(lost).doubt_text == "the window is too wide: 4 ids"
    assert sum(request["action"] == "status" for request in sandbox.requests) == asked


def test_two_lost_orders_and_one_candidate_are_left_to_the_admin(send, lose, client_upstream):
    send()
    first, second = lose(placed=True), lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    found = attempt_of(first).evidence
    assert (attempt_of(first).doubt_text, found["rivals"]) == ("the candidates leave a doubt", [second.pk])
    assert [candidate["fits"] for candidate in found["candidates"]] == [True]
    assert fresh(second).status == Status.UNKNOWN


def test_a_doubt_is_looked_into_again_only_after_a_while_or_when_a_rival_is_gone(
    send, lose, client_upstream, sandbox, sam
):
    send()
    first, second = lose(placed=True), lose(placed=False)
    send(minutes=11)

    def questions_of(minutes: float) -> int:
        before = len(sandbox.requests)
        reconcile_orders(client=client_upstream, now=timezone.now() + timedelta(minutes=minutes))
        return len(sandbox.requests) - before

    assert [questions_of(minutes) for minutes in (12, 20, 75, 80)] == [1, 0, 1, 0]  # once for both

    resolve_as_not_placed(second.pk, actor=sam, now=timezone.now())
    assert [questions_of(minutes) for minutes in (81, 82)] == [
        1,
        0,
    ]  # its attempt is looked for, and may be the candidate
    assert fresh(first).status == Status.UNKNOWN
    close_question(second.pk, note="The supplier's list has the other link only", actor=sam, now=timezone.now())

    assert questions_of(83) == 1
    assert fresh(first).status == Status.PENDING


def test_two_lost_orders_of_which_none_was_placed_are_both_sent_again(send, lose, client_upstream):
    send()
    first, second = lose(placed=False), lose(placed=False)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 2
    assert {fresh(first).status, fresh(second).status} == {Status.PAID}


def test_a_candidate_that_does_not_fit_is_left_to_the_admin(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=True)
    send(minutes=11)
    sandbox.set_order(sandbox.orders[1]["id"], charge="7.77")

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).evidence["candidates"][0]["fits"] is False


def test_a_candidate_next_to_an_order_that_staff_refunded_is_left_to_the_admin(send, lose, client_upstream, sam):
    send()
    refunded, lost = lose(placed=True), lose(placed=False)
    resolve_by_refund(refunded.pk, actor=sam, now=timezone.now())
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).evidence["rivals"] == [refunded.pk]


def test_a_read_that_fails_proves_nothing(send, lose, client_upstream, sandbox):
    send()
    lost = lose(placed=False)
    send(minutes=1)
    send(minutes=11)
    LostAttempt.objects.filter(order=lost).update(id_before=str(int(fresh(lost).last_upstream_id_before) - 1))
    Order.objects.filter(pk=Order.objects.order_by("pk").first().pk).update(upstream_id=None)
    sandbox.fail_next("500_before", action="status", times=9)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert attempt_of(lost).doubt == Doubt.SILENCE


def test_an_order_in_flight_whose_id_may_lie_in_the_window_is_waited_for(send, lose, place, client_upstream):
    send()
    lost = lose(placed=True)
    flying = engine._claim(place(), now=timezone.now(), last_id=fresh(lost).last_upstream_id_before)
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert "being sent" in attempt_of(lost).doubt_text
    assert flying is not None


def test_close_window_by_hand_closes_it_where_the_shop_is_quiet(send, lose, client_upstream, sandbox, sam):
    send()
    lost = lose(placed=True)
    newest = int(sandbox.orders[-1]["id"])

    with pytest.raises(ValueError, match="Too early"):
        close_window(lost.pk, last_id=newest, actor=sam, now=timezone.now())
    close_window(lost.pk, last_id=newest, actor=sam, now=timezone.now() + timedelta(minutes=11))
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

    assert fresh(lost).upstream_id == str(newest)


def test_ids_that_do_not_ascend_switch_reconciliation_off(send, lose, client_upstream):
    send()
    lost = lose(placed=True)
    before = fresh(lost).last_upstream_id_before
    Order.objects.filter(upstream_id=before).update(upstream_id=str(int(before) + 1000))

    closer = send(minutes=11)

    broken = UpstreamAssumption.objects.get(name="ids_ascend")
    assert (broken.kind, broken.evidence["order"]) == ("service", closer.pk)
    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0
    assert attempt_of(lost).doubt_text == "an assumption about upstream's ids has failed"


def test_more_candidates_than_lost_orders_switch_reconciliation_off(send, lose, client_upstream):
    stranger = send()
    before = send()
    lost = lose(placed=True)
    send(minutes=11)
    # An order upstream that answers to our key and that we cannot have lost.
    LostAttempt.objects.filter(order=lost).update(id_before=str(int(stranger.upstream_id) - 1))
    Order.objects.filter(pk=stranger.pk).update(upstream_id=None, status=Status.COMPLETED)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert UpstreamAssumption.objects.get().name == "foreign"
    assert fresh(before).status == Status.PENDING


def test_probing_a_foreign_id_that_answers_switches_reconciliation_off(send, client_upstream):
    orders = [send() for _each in range(3)]
    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0  # no gap between our ids
    Order.objects.filter(pk=orders[1].pk).update(upstream_id=None, status=Status.COMPLETED)

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 1

    assert UpstreamAssumption.objects.get().evidence["id"] == int(orders[1].upstream_id)
    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0


def test_probing_leaves_ids_alone_that_a_lost_order_may_have(send, lose, client_upstream):
    send()
    lose(placed=True)
    send(minutes=11)

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0


@pytest.fixture
def placed_and_not_recorded(place, client_upstream, service):
    """An order that upstream has just placed, and whose worker has not written that down yet."""

    def place_one() -> Order:
        order, now = place(), timezone.now()
        Order.objects.filter(pk=order.pk).update(
            status=Status.SENDING,
            claim_token=uuid.uuid4(),
            claim_deadline=now + timedelta(minutes=1),
            sent_at=now,
            last_upstream_id_before=newest_upstream_id("service"),
        )
        client_upstream.add(service_id=service.upstream_id, link=order.link, quantity=order.quantity)
        return order

    return place_one


def test_probing_leaves_the_id_alone_that_an_order_being_sent_has_just_got(
    send, placed_and_not_recorded, client_upstream
):
    send()
    placed_and_not_recorded()
    send()

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0

    assert not UpstreamAssumption.objects.exists()


def test_probing_leaves_the_id_alone_that_was_booked_as_a_loss(send, lose, client_upstream, sandbox, sam):
    send()
    lost = lose(placed=True)
    resolve_as_not_placed(lost.pk, actor=sam, now=timezone.now())
    assert forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    evidence = {"upstream_id": str(sandbox.orders[1]["id"])}
    OrderEvent.objects.create(order=lost, code=Code.LOSS, status=Status.PENDING, evidence=evidence)
    LostAttempt.objects.filter(order=lost).update(state=State.LOSS, **evidence)
    send()

    assert probe_foreign_ids(client=client_upstream, now=timezone.now()) == 0

    assert not UpstreamAssumption.objects.exists()


def test_an_order_that_is_lost_while_reconciliation_looks_is_a_rival_too(
    send, lose, placed_and_not_recorded, client_upstream
):
    send()
    lost = lose(placed=False)
    other = placed_and_not_recorded()
    send(minutes=11)
    asked_for_the_lost = given_up = False

    def lose_the_other_meanwhile(execute, sql, params, many, context):
        """Give its answer up right after reconciliation has asked which services are lost."""
        nonlocal asked_for_the_lost, given_up
        if asked_for_the_lost and not given_up:
            given_up = True
            make_lost(other, sent_at=other.sent_at)
        asked_for_the_lost |= {State.LOST, "service"} <= set(params or ())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(lose_the_other_meanwhile):
        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

    assert given_up
    assert [fresh(one).status for one in (lost, other)] == [Status.UNKNOWN, Status.UNKNOWN]


def test_the_evidence_names_upstreams_balance_before_and_after(send, lose, client_upstream):
    send()
    now = timezone.now()
    UpstreamBalance.objects.create(amount_upstream_micros=998_500_000, asked_at=now - timedelta(seconds=5))
    lost = lose(placed=True)
    UpstreamBalance.objects.create(amount_upstream_micros=997_000_000, asked_at=timezone.now() + timedelta(seconds=5))

    reconcile_orders(client=client_upstream, now=timezone.now())

    found = attempt_of(lost).evidence
    assert (found["balance_before_upstream_micros"], found["balance_after_upstream_micros"]) == (
        998_500_000,
        997_000_000,
    )
    assert found["expected_cost_upstream_micros"] == 1_500_000


def test_an_order_of_a_dead_worker_is_reconciled_too(send, place, client_upstream):
    send()
    dead = place()
    engine._claim(dead, now=timezone.now(), last_id=str(Order.objects.get(status=Status.PENDING).upstream_id))
    release_stale_claims(now=timezone.now() + timedelta(hours=1))
    send(minutes=11)

    assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
    assert fresh(dead).status == Status.PAID


def test_after_a_restore_every_unsent_order_is_unknown_and_forwarding_stands_still(send, place, client_upstream):
    send()
    waiting = place()

    assert declare_restored(now=timezone.now()) == 1

    order = fresh(waiting)
    assert (order.status, order.last_upstream_id_before) == (
        Status.UNKNOWN,
        Order.objects.get(status=Status.PENDING).upstream_id,
    )
    assert not forward_order(waiting.pk, client=client_upstream, clock=timezone.now)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (Window(1, 5), Window(6, 9), False),
        (Window(1, 5), Window(5, 9), True),
        (Window(1, None), Window(6, 9), True),
        (Window(7, None), Window(1, 6), False),
        (Window(None, 5), Window(6, 9), False),
        (Window(None, None), Window(1, 2), True),
    ],
)
def test_windows_overlap_when_one_id_can_lie_in_both(one, other, overlap):
    assert (one.overlaps(other), other.overlaps(one)) == (overlap, overlap)


def test_an_id_that_is_not_a_whole_number_leaves_the_window_without_a_beginning(send, lose):
    send()
    lost = lose(placed=True)
    LostAttempt.objects.filter(order=lost).update(id_before="A-17")

    assert window_of(attempt_of(lost)).first is None


class TestNumbers:
    """A lost number was refunded at once; what is left to find out is whether the shop has to pay for it."""

    @pytest.fixture
    def send_number(self, ann, client_upstream, sandbox, db):
        import uuid

        from sms.models import Country, Project
        from sms.operations import buy_numbers

        row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
        country = Country.objects.create(code="us", name="United States")
        project = Project.objects.create(
            upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000
        )

        def send_one(*, minutes: float = 0, fault: str = "") -> Order:
            [order] = buy_numbers(user=ann, project=project, request_id=str(uuid.uuid4()))
            if fault:
                sandbox.fail_next(fault, action="add_sms")
            at = timezone.now() + timedelta(minutes=minutes)
            Order.objects.filter(pk=order.pk).update(created_at=at)
            forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
            return fresh(order)

        return send_one

    def test_a_refunded_number_that_exists_is_booked_as_the_shops_loss(self, send_number, client_upstream, sandbox):
        send_number()
        lost = send_number(fault="lose_reply")
        send_number(minutes=11)

        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1

        order = fresh(lost)
        assert (order.status, order.upstream_id) == (Status.FAILED, str(sandbox.orders[1]["id"]))
        assert (order.charge_upstream_micros, flags_of(order)) == (500_000, [])
        assert attempt_of(order).state == State.LOSS
        assert order.events.last().code == Code.LOSS
        assert order.refunded_micros == order.price_micros

    def test_a_refunded_number_that_does_not_exist_leaves_nothing_open(self, send_number, client_upstream):
        send_number()
        lost = send_number(fault="lose_request")
        send_number(minutes=11)

        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 1
        assert reconcile_orders(client=client_upstream, now=timezone.now()) == 0

        order = fresh(lost)
        assert (order.status, flags_of(order), order.upstream_id) == (Status.FAILED, [], None)
        assert attempt_of(order).state == State.ABSENT
        assert Number.objects.get(order=order).state == Number.State.CANCELED
