"""Replacing a number without a code: once, for no more than was agreed, never paying twice for one code."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import ForwardingPause, Order, OrderEvent, Status
from orders.placing.refusals import OrderRefused, PriceChanged
from sms.models import Country, Number, NumberLimit, Project
from sms.operations import (
    CodeHasCome,
    best_candidate,
    cancel_number,
    candidates_for,
    replace_number,
)
from sms.operations import replace as replacing
from sms.pricing import number_book
from tests.clock import stopped_at
from wallet.models import Wallet
from wallet.operations import InsufficientFunds

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("long_lives")]
State = Number.State
PRICE = 625_000
PAID = 100_000_000 - PRICE


@pytest.fixture
def replace(waiting_number: Order, project: Project, ann: Any, client_upstream: Any) -> Any:
    """Replace Ann's number three minutes after it came: `replace(…)`."""

    def replace_it(**asked: Any) -> Order:
        asked = {
            "user": ann,
            "project": project,
            "shown_price_micros": PRICE,
            "request_id": str(uuid.uuid4()),
            "client": client_upstream,
            "now": timezone.now() + timedelta(minutes=3),
            **asked,
        }
        return replace_number(waiting_number.pk, **asked)

    return replace_it


def balance(user: Any) -> int:
    micros: int = Wallet.objects.get(user=user).balance_micros
    return micros


def unchanged(order: Order) -> bool:
    """Whether the order still waits, paid, and nothing was bought beside it."""
    order.refresh_from_db()
    number = Number.objects.get()
    return (order.status, order.refunded_micros, number.state) == (Status.PENDING, 0, State.WAITING)


# --- By hand --------------------------------------------------------------------------------------------------------


def test_replace_number_refunds_the_old_one_and_sells_the_new_one(replace, waiting_number, ann):
    new = replace()

    waiting_number.refresh_from_db()
    old_number = Number.objects.get(order=waiting_number)
    assert (waiting_number.status, waiting_number.refunded_micros) == (Status.CANCELED, PRICE)
    assert waiting_number.events.get(code=OrderEvent.Code.REFUNDED).data["why"] == "replaced"
    assert (old_number.state, new.status, new.price_micros) == (State.CANCELED, Status.PAID, PRICE)
    assert new.number.replaces == old_number
    assert balance(ann) == PAID


def test_replace_number_with_the_same_request_id_again_returns_the_same_order(replace, ann):
    assert replace(request_id="button") == replace(request_id="button")

    assert (balance(ann), Order.objects.count()) == (PAID, 2)


def test_replace_number_twice_is_refused(replace, ann):
    replace()

    with pytest.raises(OrderRefused, match="no longer waiting"):
        replace()

    assert (balance(ann), Order.objects.count()) == (PAID, 2)


def test_replace_number_from_two_places_at_once_replaces_it_once(replace, ann):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one transaction write at a time")
    outcomes: list[Any] = []

    def press() -> None:
        try:
            outcomes.append(replace())
        except OrderRefused as refusal:
            outcomes.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1, outcomes
    assert (balance(ann), Order.objects.count()) == (PAID, 2)


def test_replace_number_whose_code_is_there_upstream_keeps_it_and_shows_the_code(replace, waiting_number, sandbox, ann):
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    with pytest.raises(CodeHasCome):
        replace()

    number = Number.objects.get()
    assert (number.state, number.code, balance(ann)) == (State.RECEIVED, "482913", PAID)


def test_replace_number_when_upstream_does_not_answer_changes_nothing(replace, waiting_number, sandbox):
    sandbox.fail_rate("500_before", 1.0, action="sms_code")

    with pytest.raises(OrderRefused, match="can't check"):
        replace()

    assert unchanged(waiting_number)


def test_replace_number_that_ended_meanwhile_refunds_it_and_sells_nothing(replace, waiting_number, sandbox, ann):
    sandbox.set_number(waiting_number.upstream_id, status="expired")

    with pytest.raises(OrderRefused, match="no longer waiting"):
        replace()

    assert (balance(ann), Order.objects.count()) == (100_000_000, 1)


def test_a_code_that_comes_to_the_old_number_is_nobodys_and_its_charge_the_shops_loss(
    replace, waiting_number, sandbox, ann, client_upstream
):
    new = replace()
    forward_order(new.pk, client=client_upstream, clock=timezone.now)
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=4)))

    waiting_number.refresh_from_db()
    old_number = Number.objects.get(order=waiting_number)
    assert (old_number.code, old_number.content, old_number.state) == ("", "", State.CANCELED)
    assert (waiting_number.status, waiting_number.next_poll_at, balance(ann)) == (Status.CANCELED, None, PAID)
    assert waiting_number.events.get(code=OrderEvent.Code.LOSS).evidence["charge"] == 500_000
    assert audit(client=client_upstream, now=timezone.now()).problems == []


def test_a_replaced_number_that_upstream_gives_back_is_no_loss(replace, waiting_number, sandbox, client_upstream):
    replace()
    sandbox.set_number(waiting_number.upstream_id, status="expired")

    poll_due(kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=4)))

    waiting_number.refresh_from_db()
    assert (waiting_number.next_poll_at, waiting_number.charge_upstream_micros) == (None, 0)
    assert not waiting_number.events.filter(code=OrderEvent.Code.LOSS).exists()


def test_a_code_found_while_it_is_replaced_does_not_come_through(
    replace, waiting_number, sandbox, client_upstream, ann
):
    """The answer to a poll was asked for before the replacement and arrives after it."""
    from orders.fulfilment.poll import record_reports
    from orders.lifecycle.supply import supply_of

    asked = Order.objects.select_related("number__project__country").get(pk=waiting_number.pk)
    replace()
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")
    report = supply_of(asked).ask(client_upstream, asked, timezone.now())

    record_reports([(asked, report)], now=timezone.now())

    assert Number.objects.get(order=waiting_number).code == ""
    assert balance(ann) == PAID


def _cheaper_shown(asked: dict[str, Any]) -> None:
    asked["shown_price_micros"] = PRICE - 1


def _too_soon(asked: dict[str, Any]) -> None:
    asked["now"] = timezone.now() + timedelta(seconds=30)


def _withdrawn(asked: dict[str, Any]) -> None:
    Project.objects.update(withdrawn_at=timezone.now())


def _paused(asked: dict[str, Any]) -> None:
    ForwardingPause.objects.create(reason=ForwardingPause.Reason.BALANCE)


def _limited(asked: dict[str, Any]) -> None:
    NumberLimit.objects.create(user=asked["user"], max_per_day=1)


def _other_site(asked: dict[str, Any]) -> None:
    asked["project"] = Project.objects.create(
        upstream_id="t", country=Country.objects.get(), name="Telegram", price_upstream_micros=1
    )


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (_cheaper_shown, PriceChanged),
        (_too_soon, OrderRefused),
        (_withdrawn, OrderRefused),
        (_paused, OrderRefused),
        (_limited, OrderRefused),
        (_other_site, OrderRefused),
    ],
)
def test_replace_number_that_cannot_be_is_refused_and_nothing_is_half_done(replace, waiting_number, ann, spoil, error):
    asked = {"user": ann}
    spoil(asked)

    with pytest.raises(error):
        replace(**asked)

    assert unchanged(waiting_number)
    assert (balance(ann), Order.objects.count()) == (PAID, 1)


def test_replace_number_for_a_dearer_one_without_the_money_is_refused(replace, waiting_number, elsewhere, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=0)

    with pytest.raises(InsufficientFunds):
        replace(project=elsewhere[0], shown_price_micros=650_000)

    assert unchanged(waiting_number)
    assert balance(ann) == 0


def test_replace_number_needs_no_money_beside_what_comes_back(replace, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=0)

    replace()

    assert balance(ann) == 0


def test_replace_number_of_somebody_else_or_canceled_is_refused(replace, waiting_number, ann, ben):
    with pytest.raises(Number.DoesNotExist):
        replace(user=ben)
    cancel_number(waiting_number.pk, user=ann)

    with pytest.raises(OrderRefused, match="canceled this number"):
        replace()


def test_replace_number_when_upstream_says_a_word_nobody_knows_says_that_it_cannot_be_seen(
    replace, waiting_number, sandbox
) -> None:
    sandbox.set_number(waiting_number.upstream_id, status="pondering")

    with pytest.raises(OrderRefused, match="can't check"):
        replace()

    assert Number.objects.get().state == Number.State.WAITING


@pytest.mark.parametrize("step", ["_ask_once_more", "_close"])
def test_replace_number_when_it_is_canceled_at_that_moment_is_refused(
    replace, waiting_number, monkeypatch, step
) -> None:
    """From a second device, between the steps of the replacement."""
    usual = getattr(replacing, step)

    def after_cancel(*asked: Any) -> None:
        Number.objects.update(cancel_requested_at=timezone.now())
        usual(*asked)

    monkeypatch.setattr(replacing, step, after_cancel)
    said = "canceled this number" if step == "_ask_once_more" else "no longer waiting"

    with pytest.raises(OrderRefused, match=said):
        replace()

    waiting_number.refresh_from_db()
    assert (Order.objects.count(), waiting_number.refunded_micros) == (1, 0)


def test_a_number_that_could_not_be_fetched_after_a_replacement_is_refunded(
    replace, waiting_number, client_upstream, sandbox, project
) -> None:
    new = replace()
    sandbox.set_project(project.upstream_id, available=0)

    forward_order(new.pk, client=client_upstream, clock=timezone.now)

    new.refresh_from_db()
    waiting_number.refresh_from_db()
    assert (new.refunded_micros, waiting_number.refunded_micros) == (PRICE, PRICE)


def test_candidates_for_a_number_begin_with_its_country_then_by_success_then_by_price(
    waiting_number, project, elsewhere
):
    number = Number.objects.select_related("project").get()
    british, ukrainian = elsewhere

    offers = candidates_for([number], number_book(waiting_number.user))[number.pk]

    assert [offer.project for offer in offers] == [project, british, ukrainian]
    assert [offer.price_micros for offer in offers] == [PRICE, 650_000, 500_000]
    best = {
        (cap, anywhere): best_candidate(offers, number, cap_micros=cap, any_country=anywhere)
        for cap in (499_999, 500_000, PRICE, 650_000)
        for anywhere in (True, False)
    }
    assert {case: offer and offer.project for case, offer in best.items()} == {
        (499_999, True): None,
        (499_999, False): None,
        (500_000, True): ukrainian,
        (500_000, False): None,
        (PRICE, True): ukrainian,
        (PRICE, False): project,
        (650_000, True): british,
        (650_000, False): project,
    }
