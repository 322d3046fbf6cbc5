"""What is forgotten after a while, and what never is."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import batches
from accounts.batches import delete_in_batches
from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKeySpending, RetentionAge
from catalog.models import QuarantinedAnswer, ServiceChange, SyncRun
from notifications.models import Notice
from notifications.outbox import MAX_TRIES
from orders.lifecycle.goods import keep_goods, reveal_all
from orders.lifecycle.retention import LONGEST_ORDER
from orders.models import GoodsReveal, Order, OrderEvent, PromisedLoss, Status
from storefront import retention
from storefront.retention import JOBS, forget_old_rows
from storefront.tasks import forget_old_rows as task
from tests.emptying import tampering
from tests.storefront.admin_rows import make_order
from wallet.models import GatewayEvent, LedgerEntry

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
NOW = timezone.now()
OLD = NOW - timedelta(days=1000)
YOUNG = NOW - timedelta(days=10)
Code, Outcome, Run = OrderEvent.Code, GatewayEvent.Outcome, SyncRun.Status


def test_notices_that_were_sent_or_given_up_long_ago_are_deleted_and_others_stay(ann):
    def notice(key: str, **fields) -> None:
        Notice.objects.create(user=ann, key=key, subject=key, body="", **{"created_at": OLD, **fields})

    notice("sent", sent_at=OLD)
    notice("given up", tries=MAX_TRIES)
    notice("waits")
    notice("young", created_at=YOUNG, sent_at=YOUNG)

    assert forget_old_rows(now=NOW)["clean_notices"] == 2
    assert set(Notice.objects.values_list("key", flat=True)) == {"waits", "young"}


@pytest.mark.parametrize(("admins", "left"), [([("Admin", "admin@example.com")], 2), ([], 1)])
def test_news_for_admins_wait_where_somebody_may_read_them_and_are_deleted_where_nobody_does(settings, admins, left):
    settings.ADMINS = admins
    for key, created_at in (("old", OLD), ("young", YOUNG)):
        Notice.objects.create(key=key, subject=key, body="", created_at=created_at)

    forget_old_rows(now=NOW)

    assert Notice.objects.count() == left


def test_evidence_of_routine_events_of_orders_that_ended_long_ago_is_emptied_and_the_events_stay(ann, service):
    def event(order: Order, code: str, created_at=OLD) -> int:
        row = OrderEvent.objects.create(
            order=order, code=code, status=order.status, data={"price": 1}, evidence={"x": 1}, created_at=created_at
        )
        return row.pk

    over = make_order(ann, service=service, status=Status.COMPLETED, finished_at=OLD)
    alive = make_order(ann, service=service, status=Status.IN_PROGRESS)
    late = make_order(ann, service=service, status=Status.COMPLETED, finished_at=YOUNG)
    with tampering():
        OrderEvent.objects.update(created_at=OLD)
    wiped = [event(over, code) for code in (Code.CLAIMED, Code.ACCEPTED, Code.PROGRESS, Code.COMPLETED)]
    kept = [event(over, code) for code in (Code.UNKNOWN, Code.REFUSED, Code.REFUNDED, Code.LOSS, Code.RESOLVED)]
    kept += [event(alive, Code.CLAIMED), event(late, Code.CLAIMED)]
    young = make_order(ann, service=service, status=Status.COMPLETED, finished_at=YOUNG)
    kept.append(event(young, Code.CLAIMED, created_at=YOUNG))

    assert forget_old_rows(now=NOW)["wipe_order_evidence"] == len(wiped)
    assert forget_old_rows(now=NOW)["wipe_order_evidence"] == 0

    assert set(OrderEvent.objects.exclude(evidence={}).values_list("pk", flat=True)) == set(kept)
    assert all(row.data == {"price": 1} for row in OrderEvent.objects.filter(pk__in=wiped))
    # What was too young then is reached once it is old enough; the database looks at a clock of its own.
    RetentionAge.objects.update(days=0)
    later = NOW + timedelta(days=181) + LONGEST_ORDER
    assert forget_old_rows(now=later)["wipe_order_evidence"] == 1


def test_looks_promised_losses_sessions_and_sums_of_keys_are_deleted_when_they_are_old(ann, service):
    order = make_order(ann, service=service, status=Status.COMPLETED)
    keep_goods(order, ["a"], NOW)
    for moment in (OLD, YOUNG):
        reveal_all([order], user=ann, address=None, now=moment)
        Session.objects.create(session_key=uuid.uuid4().hex, session_data="", expire_date=moment)
    Session.objects.create(session_key="alive", session_data="", expire_date=NOW + timedelta(days=1))
    PromisedLoss.objects.create(user=ann, service=service, lost_micros=1, until=NOW)
    key, _text = create_api_key(user=ann, name="k")
    for moment in (OLD, YOUNG):
        ApiKeySpending.objects.create(key=key, day=moment.date(), spent_micros=1)

    task()

    assert [look.created_at for look in GoodsReveal.objects.all()] == [YOUNG]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["alive"]
    assert not PromisedLoss.objects.exists()
    assert [row.day for row in ApiKeySpending.objects.all()] == [YOUNG.date()]
    assert order.goods.pieces == 1


def test_from_where_goods_were_looked_at_is_forgotten_sooner_and_the_look_stays(ann, service):
    order = make_order(ann, service=service, status=Status.COMPLETED)
    keep_goods(order, ["a"], NOW)
    ages = (200, 91, 89)
    for days in ages:
        for address in ("203.0.113.9", "203.0.113.10"):
            reveal_all([order], user=ann, address=address, now=NOW - timedelta(days=days))

    assert forget_old_rows(now=NOW)["forget_look_addresses"] == 2
    assert forget_old_rows(now=NOW)["forget_look_addresses"] == 0

    looks = GoodsReveal.objects.order_by("created_at")
    assert [(look.looks, look.address, look.last_address) for look in looks] == [
        (2, None, None),
        (2, None, None),
        (2, "203.0.113.9", "203.0.113.10"),
    ]
    assert forget_old_rows(now=NOW + timedelta(days=2))["forget_look_addresses"] == 1


def test_gateway_events_that_changed_nothing_are_deleted_and_what_was_applied_stays():
    for moment in (OLD, YOUNG):
        for outcome in Outcome:
            GatewayEvent.objects.create(gateway="demo", outcome=outcome, created_at=moment)

    assert forget_old_rows(now=NOW)["clean_gateway_events"] == 3
    old = GatewayEvent.objects.filter(created_at=OLD)
    assert [event.outcome for event in old] == [Outcome.APPLIED]
    assert GatewayEvent.objects.count() == 5


def test_callbacks_that_anybody_could_send_are_deleted_sooner():
    moment = NOW - timedelta(days=40)
    for outcome in Outcome:
        GatewayEvent.objects.create(gateway="demo", outcome=outcome, created_at=moment)

    assert forget_old_rows(now=NOW)["clean_gateway_events"] == 1
    assert not GatewayEvent.objects.filter(outcome=Outcome.REFUSED).exists()


def test_details_of_old_syncs_are_deleted_but_for_what_waits_and_the_newest(service):
    def run(status: str, started_at=OLD, **fields) -> SyncRun:
        made = SyncRun.objects.create(kind=SyncRun.Kind.CATALOG, status=status, started_at=started_at, **fields)
        ServiceChange.objects.create(run=made, service=service, kind=ServiceChange.Kind.RATE, created_at=started_at)
        return made

    gone = [run(Run.APPLIED), run(Run.UNCHANGED), run(Run.DROPPED)]
    QuarantinedAnswer.objects.create(run=gone[2], packed=b"x")
    kept = [run(Run.APPLIED), run(Run.UNCHANGED), run(Run.QUARANTINED), run(Run.QUARANTINED), run(Run.RUNNING)]
    kept += [run(Run.DROPPED, YOUNG), run(Run.APPLIED, YOUNG)]
    kept.remove(kept[0])  # a newer one was applied since

    forget_old_rows(now=NOW)

    assert set(SyncRun.objects.values_list("pk", flat=True)) == {row.pk for row in kept}
    assert set(ServiceChange.objects.values_list("run", flat=True)) == {row.pk for row in kept}
    assert not QuarantinedAnswer.objects.exists()


def test_orders_events_and_ledger_are_never_deleted(ann, service, settings):
    make_order(ann, service=service, status=Status.COMPLETED, finished_at=OLD, created_at=OLD)
    counts = [model.objects.count() for model in (Order, OrderEvent, LedgerEntry)]

    forget_old_rows(now=NOW + timedelta(days=10_000))

    assert [model.objects.count() for model in (Order, OrderEvent, LedgerEntry)] == counts


def test_a_run_takes_no_longer_than_it_may_and_the_next_one_goes_on(ann, monkeypatch):
    monkeypatch.setattr(batches, "ROWS_AT_ONCE", 10)
    Notice.objects.bulk_create(
        Notice(user=ann, key=str(n), subject="s", body="", created_at=OLD, sent_at=OLD) for n in range(35)
    )
    old = Notice.objects.order_by("pk")

    assert delete_in_batches(old, seconds=0) == 0
    assert delete_in_batches(old) == 35


def test_a_job_that_fails_stops_no_other(monkeypatch):
    def broken(*, now):
        raise RuntimeError("no")

    monkeypatch.setattr(retention, "JOBS", (broken, *JOBS))

    assert set(forget_old_rows(now=NOW)) == {job.__name__ for job in JOBS}
