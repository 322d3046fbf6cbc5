"""Replacement rules: another number by itself when no code comes, within the limits the customer set."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.models import Order, Status
from sms.models import Number, ReplacementRule
from sms.operations import (
    ReplacementRequest,
    drop_replacement_rule,
    replace_due_numbers,
    replace_number,
    set_replacement_rule,
)
from wallet.models import Wallet

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("long_lives")]
PRICE = 625_000
PAID = 100_000_000 - PRICE
RIPE = timedelta(minutes=3)


@pytest.fixture
def sweep(client_upstream: Any) -> Any:
    def run(**later: float) -> int:
        return replace_due_numbers(client=client_upstream, now=timezone.now() + timedelta(**later))

    return run


def replaced(order: Order, user: Any, client: Any, **asked: Any) -> Order:
    asked = {"shown_price_micros": PRICE, "request_id": "1", "now": timezone.now() + RIPE, **asked}
    return replace_number(order.pk, user=user, project=order.number.project, client=client, **asked)


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
    assert Wallet.objects.get(user=ann).balance_micros == PAID


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
    waiting_number.refresh_from_db()
    assert (waiting_number.status, waiting_number.refunded_micros) == (Status.PENDING, 0)
    assert Number.objects.get().state == Number.State.WAITING


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


def test_drop_replacement_rule_when_the_rule_has_moved_on_stops_it_where_it_is_now(
    waiting_number, ann, client_upstream
):
    """The button was on a card of a number that the sweep has just replaced."""
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=3))
    assert replace_due_numbers(client=client_upstream, now=timezone.now() + RIPE) == 1

    drop_replacement_rule(waiting_number.pk, user=ann)

    assert not ReplacementRule.objects.exists()


def test_drop_replacement_rule_of_somebody_elses_number_drops_nothing(waiting_number, ann, ben) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))

    drop_replacement_rule(waiting_number.pk, user=ben)

    assert ReplacementRule.objects.exists()


def test_replace_number_when_the_rule_is_dropped_at_that_moment_goes_through_without_it(
    waiting_number, ann, client_upstream, monkeypatch
) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=3))
    rules = type(ReplacementRule.objects.all())
    first = rules.first

    def then_dropped(found: Any) -> Any:
        rule = first(found)
        ReplacementRule.objects.all().delete()
        return rule

    monkeypatch.setattr(
        rules, "first", lambda self: then_dropped(self) if self.model is ReplacementRule else first(self)
    )

    new = replaced(waiting_number, ann, client_upstream)

    assert new.number.replaces == waiting_number.number
    assert not ReplacementRule.objects.exists()


def test_replace_number_by_hand_costs_none_of_the_replacements_that_happen_by_themselves(
    waiting_number, ann, client_upstream
) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=2))

    new = replaced(waiting_number, ann, client_upstream)

    rule = ReplacementRule.objects.get()
    assert (rule.number.order, rule.left, rule.cap_micros) == (new, 2, PRICE)


def test_replace_due_numbers_after_the_number_was_canceled_takes_nothing(waiting_number, ann, client_upstream) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))
    Number.objects.update(cancel_requested_at=timezone.now())

    assert replace_due_numbers(client=client_upstream, now=timezone.now() + RIPE) == 0

    assert ReplacementRule.objects.get().next_at is None
