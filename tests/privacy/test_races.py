"""A purchase, a payment or a change of mind at the very moment an account goes: nothing is lost or done twice."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from orders.models import Order
from orders.placing.place import place_order
from privacy.deletion.account import MustWait, end_account
from privacy.deletion.requests import CannotDelete, keep_account, request_deletion
from privacy.models import AccountDeletion
from tests.privacy.asking import given_up, much_later, without_money
from tests.wallet.conftest import stripe_server
from tests.wallet.paying import stripe_says
from wallet.models import LedgerEntry, TopUp
from wallet.operations import balance_of, credit

__all__ = ["stripe_server"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
State = AccountDeletion.State


def at_once(*acts) -> list:
    """Run these at the same moment, each in a thread with a connection of its own; return what came of them."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait()
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[place, act]) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("round_", range(4))
def test_request_deletion_when_the_last_money_is_spent_at_that_moment_then_one_of_both_wins(ann, service, round_):
    without_money(ann)
    credit(user=ann, amount_micros=187_500, kind=LedgerEntry.Kind.ADJUSTMENT, reference="exactly one order")

    def buy():
        return place_order(
            user=User.objects.get(pk=ann.pk),
            service=service,
            quantity=100,
            link="https://example.com/p/1",
            request_id="race",
            now=timezone.now(),
        )

    bought, asked = at_once(buy, lambda: request_deletion(User.objects.get(pk=ann.pk), now=timezone.now()))

    # There was money or there was an open order, whoever came first.
    assert isinstance(bought, Order), bought
    assert isinstance(asked, CannotDelete), asked
    assert User.objects.get(pk=ann.pk).is_active


@pytest.mark.parametrize("round_", range(4))
def test_end_account_when_a_payment_arrives_at_that_moment_then_it_is_credited_or_waits_for_staff(
    ann, stripe_server, round_
):
    without_money(ann)
    top_up = given_up(ann)
    request_deletion(ann, now=timezone.now())
    deletion = AccountDeletion.objects.select_related("user").get()
    body = stripe_server.event("checkout.session.completed", stripe_server.pay(top_up.reference))

    answered, ended = at_once(lambda: stripe_says(body), lambda: end_account(deletion, now=much_later()))

    assert answered == 200
    top_up.refresh_from_db()
    if User.objects.get(pk=ann.pk).is_deleted:
        assert ended is True
        assert (top_up.status, balance_of(ann)) == (TopUp.Status.REVIEW, 0)
    else:
        assert isinstance(ended, MustWait), ended
        assert (top_up.status, balance_of(ann)) == (TopUp.Status.PAID, top_up.amount_micros)


def test_end_account_when_two_workers_try_then_one_does(ann):
    without_money(ann)
    request_deletion(ann, now=timezone.now())

    def end():
        return end_account(AccountDeletion.objects.select_related("user").get(), now=much_later())

    assert sorted(map(str, at_once(end, end))) == ["False", "True"]


def test_keep_account_when_the_sweep_is_there_at_that_moment_then_one_of_both_wins(ann):
    without_money(ann)
    deletion = request_deletion(ann, now=timezone.now())

    kept, ended = at_once(
        lambda: keep_account(AccountDeletion.objects.select_related("user").get(), now=timezone.now()),
        lambda: end_account(AccountDeletion.objects.select_related("user").get(), now=much_later()),
    )

    user = User.objects.get(pk=ann.pk)
    deletion.refresh_from_db()
    assert (user.is_active, user.is_deleted) in {(True, False), (False, True)}
    assert (deletion.state == State.KEPT) == user.is_active == (kept is None) == (ended is False)
