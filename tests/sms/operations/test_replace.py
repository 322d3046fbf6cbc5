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
from orders.placing.place import OrderRefused, PriceChanged
from sms.models import Country, Number, NumberLimit, Project, ReplacementRule, SuccessRate
from sms.operations import (
    CodeHasCome,
    ReplacementRequest,
    best_candidate,
    cancel_number,
    candidates_for,
    replace_due_numbers,
    replace_number,
    set_replacement_rule,
)
from sms.pricing import number_book
from tests.clock import stopped_at
from wallet.models import Wallet
from wallet.operations import InsufficientFunds

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
State = Number.State
PRICE = 625_000
PAID = 100_000_000 - PRICE


@pytest.fixture(autouse=True)
def _long_lives(sandbox: Any) -> None:
    sandbox.set(number_lifetime_seconds=1200)


@pytest.fixture
def elsewhere(project: Project) -> list[Project]:
    """The same website in two more countries: one dearer and reliable, one cheap of which nothing is known."""
    made = []
    for code, name, micros in (("gb", "United Kingdom", 520_000), ("ua", "Ukraine", 400_000)):
        country = Country.objects.create(code=code, name=name)
        made.append(
            Project.objects.create(
                upstream_id=f"x-{code}",
                country=country,
                site=project.site,
                name=project.name,
                price_upstream_micros=micros,
            )
        )
    SuccessRate.objects.create(project=made[0], observed=100, received=87, counted_at=timezone.now())
    SuccessRate.objects.create(project=made[1], observed=2, received=2, counted_at=timezone.now())
    return made


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
    assert waiting_number.events.get(code=OrderEvent.Code.REFUNDED).data["why"] == "swapped"
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
    NumberLimit.objects.create(user=asked["user"], most_per_day=1)


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


# --- By itself ------------------------------------------------------------------------------------------------------


@pytest.fixture
def sweep(client_upstream: Any) -> Any:
    def run(**later: float) -> int:
        return replace_due_numbers(client=client_upstream, now=timezone.now() + timedelta(**later))

    return run


def test_replace_due_numbers_replaces_within_the_cap_counts_it_and_goes_on_with_the_new_number(
    waiting_number, sweep, ann, client_upstream
):
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=2))
    assert sweep(seconds=100) == 0

    assert sweep(minutes=3) == 1
    assert sweep(minutes=3) == 0

    rule = ReplacementRule.objects.get()
    assert (rule.number.replaces.order_id, rule.left) == (waiting_number.pk, 1)
    forward_order(rule.number.order_id, client=client_upstream, clock=timezone.now)
    assert sweep(minutes=6) == 1
    rule.refresh_from_db()
    assert (rule.left, rule.next_at, Number.objects.count()) == (0, None, 3)
    assert balance(ann) == PAID


def test_replace_due_numbers_by_two_sweeps_at_once_replaces_once(waiting_number, ann, client_upstream, monkeypatch):
    from sms.operations import sweep as sweeping

    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=5))
    then, follow, others = timezone.now() + timedelta(minutes=3), sweeping._follow, []

    def interrupted(*asked: Any) -> bool:
        monkeypatch.setattr(sweeping, "_follow", follow)
        others.append(replace_due_numbers(client=client_upstream, now=then))
        return follow(*asked)

    monkeypatch.setattr(sweeping, "_follow", interrupted)

    assert replace_due_numbers(client=client_upstream, now=then) == 1
    assert (others, Number.objects.count()) == ([0], 2)


def test_replace_due_numbers_above_the_cap_takes_nothing_and_says_so(waiting_number, sweep, elsewhere, ann):
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(499_999, any_country=True))

    assert sweep(minutes=3) == 0

    rule = ReplacementRule.objects.get()
    assert rule.outcome == "There is no other number within your price limit right now."
    assert rule.next_at > timezone.now() + timedelta(minutes=3)
    assert unchanged(waiting_number)


def test_replace_due_numbers_without_money_says_so(waiting_number, sweep, elsewhere, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=0)
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(650_000, any_country=True))

    assert sweep(minutes=3) == 0

    assert ReplacementRule.objects.get().outcome == "Your balance is too low for another number."


def test_replace_due_numbers_of_a_number_whose_code_is_there_ends(waiting_number, sweep, sandbox, ann):
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    assert sweep(minutes=3) == 0

    assert ReplacementRule.objects.get().next_at is None
    assert Number.objects.get().code == "482913"


def test_buy_numbers_with_a_replacement_request_gives_each_number_its_rule(buy):
    orders = buy(quantity=2, replacement=ReplacementRequest(PRICE, any_country=True, replacements=9))

    rules = ReplacementRule.objects.order_by("number__order_id")
    assert [(rule.number.order_id, rule.left, rule.any_country) for rule in rules] == [
        (order.pk, 5, True) for order in orders
    ]
    assert all(rule.next_at == rule.number.created_at + timedelta(seconds=120) for rule in rules)
