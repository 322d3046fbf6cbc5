"""Money moved by hand: who may, who has to agree, and that it moves once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.power import NotYourOwnMoney
from tests.conftest import customer
from tests.wallet.by_hand import balance, move, moved_by_hand
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations import AlreadyBooked, InsufficientFunds
from wallet.operations.manual_moves import (
    AlreadyDecided,
    MayNotDecide,
    approve_request,
    decline_request,
)

pytestmark = pytest.mark.django_db
Kind, State = MoneyRequest.Kind, MoneyRequest.State
LIMIT = 100_000_000


# --- The limit ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("amount_micros", "state"), [(LIMIT, State.DONE), (LIMIT + 1, State.WAITING)])
def test_move_by_hand_at_the_limit_is_done_and_a_micro_above_it_waits(ann, sam, amount_micros, state):
    asked = move(ann, sam, amount_micros)

    assert (asked.state, asked.asked_by, asked.decided_by) == (state, sam, None)
    assert moved_by_hand() == ([amount_micros] if state == State.DONE else [])
    assert balance(ann) == 100_000_000 + sum(moved_by_hand())


def test_move_by_hand_that_takes_is_measured_without_its_sign(ann, sam, settings):
    settings.ADJUST_APPROVAL_MICROS = 5_000_000

    assert [move(ann, sam, amount).state for amount in (-5_000_000, -5_000_001)] == [State.DONE, State.WAITING]


def test_move_by_hand_without_a_limit_never_waits(ann, sam, settings):
    settings.ADJUST_APPROVAL_MICROS = 0

    assert move(ann, sam, 10**12).state == State.DONE


def test_move_by_hand_in_small_pieces_passes_no_more_than_the_limit_in_a_day(ann, ben, sam, tom):
    began = timezone.now()
    states = [move(ann, sam, LIMIT // 4, now=began + timedelta(hours=hour)).state for hour in range(6)]

    assert states == [State.DONE] * 4 + [State.WAITING] * 2
    assert balance(ann) == 2 * LIMIT
    # It counts with every other wallet, not with what another member of staff moves, and not with what is a day old.
    assert move(ben, sam, 1, now=began).state == State.WAITING
    assert move(ann, tom, LIMIT, now=began).state == State.DONE
    assert move(ann, sam, LIMIT // 4, now=began + timedelta(hours=24)).state == State.DONE
    assert move(ann, sam, LIMIT // 4, now=began + timedelta(hours=24)).state == State.WAITING


def test_move_by_hand_of_any_kind_and_direction_counts_together_and_what_two_agreed_on_does_not(ann, sam, tom):
    approve_request(move(ann, sam, 2 * LIMIT).pk, actor=tom)
    move(ann, sam, 40_000_000)
    move(ann, sam, -30_000_000)
    move(ann, sam, 30_000_000, Kind.WITHDRAWAL)

    assert move(ann, sam, -1).state == State.WAITING


def test_move_by_hand_for_ones_own_wallet_or_a_referral_relation_is_refused(ann, ben, sam, tom, settings):
    User.objects.filter(pk=ann.pk).update(referred_by=sam)
    User.objects.filter(pk=sam.pk).update(referred_by=ben)
    for user in (ann, sam):
        user.refresh_from_db()

    for limit in (LIMIT, 0):
        settings.ADJUST_APPROVAL_MICROS = limit
        for customer_ in (sam, ann, ben):
            for amount in (1, -1, 2 * LIMIT):
                with pytest.raises(NotYourOwnMoney, match=r"tom@example\.com"):
                    move(customer_, sam, amount)

    assert MoneyRequest.objects.count() == 0
    assert move(sam, tom, 1).state == State.DONE


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_moves_by_hand_at_the_same_moment_do_not_pass_the_limit_together(ann, sam):
    wallets = [ann, *(customer(f"{number}@example.com") for number in range(4))]

    def press(number: int) -> str:
        try:
            return move(wallets[number], sam, 40_000_000).state
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        states = list(threads.map(press, range(5)))

    assert states.count(State.DONE) == 2
    assert moved_by_hand() == [40_000_000] * 2


def test_move_by_hand_twice_with_one_request_id_moves_once(ann, sam):
    for kind in (Kind.ADJUSTMENT, Kind.WITHDRAWAL):
        done = move(ann, sam, 5_000_000, kind)
        with pytest.raises(AlreadyBooked):
            move(ann, sam, 5_000_000, kind, request_id=done.request_id)
    assert moved_by_hand() == [-5_000_000, 5_000_000]

    waiting = move(ann, sam, LIMIT + 1)
    with pytest.raises(AlreadyBooked):
        move(ann, sam, LIMIT + 1, request_id=waiting.request_id)
    assert MoneyRequest.objects.count() == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"note": "  "},
        {"amount_micros": 0},
        {"kind": Kind.WITHDRAWAL, "amount_micros": -1},
        {"kind": Kind.WITHDRAWAL, "paid_how": " "},
    ],
)
def test_move_by_hand_without_what_it_needs_is_refused(ann, sam, fields):
    with pytest.raises(ValueError, match="needs an amount and a note"):
        move(ann, sam, **{"amount_micros": 1_000_000, **fields})

    assert MoneyRequest.objects.count() == 0


# --- Withdrawals ----------------------------------------------------------------------------------------------------
def test_withdrawal_takes_the_money_and_the_ledger_says_how_it_was_paid(ann, sam):
    move(ann, sam, 40_000_000, Kind.WITHDRAWAL, note="asked for it by mail")

    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.WITHDRAWAL)
    assert (entry.amount_micros, entry.created_by) == (-40_000_000, sam)
    assert entry.note == "bank transfer: asked for it by mail"
    assert balance(ann) == 60_000_000


@pytest.mark.parametrize("amount_micros", [100_000_001, 150_000_000])
def test_withdrawal_of_more_than_there_is_is_refused_be_it_above_the_limit_or_not(ann, sam, settings, amount_micros):
    for limit in (LIMIT, 10**12):
        settings.ADJUST_APPROVAL_MICROS = limit
        with pytest.raises(InsufficientFunds) as short:
            move(ann, sam, amount_micros, Kind.WITHDRAWAL)
        assert short.value.missing_micros == amount_micros - 100_000_000

    assert (balance(ann), MoneyRequest.objects.count()) == (100_000_000, 0)


def test_withdrawal_whose_money_is_gone_at_the_approval_goes_on_waiting(ann, sam, tom, settings):
    settings.ADJUST_APPROVAL_MICROS = 1
    asked = move(ann, sam, 80_000_000, Kind.WITHDRAWAL)
    approve_request(move(ann, sam, -30_000_000).pk, actor=tom)

    with pytest.raises(InsufficientFunds):
        approve_request(asked.pk, actor=tom)

    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, balance(ann)) == (State.WAITING, None, 70_000_000)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(-150_000_000, 150_000_000).filter(bool), max_size=8), data=st.data())
def test_moves_by_hand_in_any_order_never_take_a_balance_below_zero_nor_pass_the_limit_alone(
    ann, sam, tom, amounts, data
):
    with transaction.atomic():
        for amount in amounts:
            kind = data.draw(st.sampled_from([Kind.ADJUSTMENT, Kind.WITHDRAWAL]))
            try:
                asked = move(ann, sam, abs(amount) if kind == Kind.WITHDRAWAL else amount, kind)
                if asked.state == State.WAITING and data.draw(st.booleans()):
                    approve_request(asked.pk, actor=tom)
            except InsufficientFunds:
                continue
        done = MoneyRequest.objects.filter(state=State.DONE)
        alone = done.filter(decided_by=None).values_list("amount_micros", flat=True)

        assert sum(abs(amount) for amount in alone) <= LIMIT
        assert len(moved_by_hand()) == done.count()
        assert balance(ann) == 100_000_000 + sum(moved_by_hand()) >= 0
        transaction.set_rollback(True)


# --- The second person ----------------------------------------------------------------------------------------------
def test_approve_request_by_another_moves_the_money_in_the_name_of_who_asked(ann, sam, tom):
    asked = move(ann, sam, 150_000_000, note="won the prize")

    approve_request(asked.pk, actor=tom)

    asked.refresh_from_db()
    entry = LedgerEntry.objects.get(reference=f"request:{asked.request_id}")
    assert (asked.state, asked.decided_by, balance(ann)) == (State.DONE, tom, 250_000_000)
    assert (entry.created_by, entry.note, entry.reference) == (sam, "won the prize", f"request:{asked.request_id}")


def test_decline_request_moves_nothing_and_is_final(ann, sam, tom):
    asked = move(ann, sam, 150_000_000)
    decline_request(asked.pk, actor=tom)

    with pytest.raises(AlreadyDecided):
        approve_request(asked.pk, actor=tom)

    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, balance(ann)) == (State.DECLINED, tom, 100_000_000)


@pytest.mark.parametrize("decide", [approve_request, decline_request])
def test_deciding_by_who_asked_or_whose_wallet_it_is_or_a_relation_of_either_is_refused(sam, tom, decide):
    people = {name: customer(f"{name}@example.com", is_staff=True, is_superuser=True) for name in ("kay", "lee", "moe")}
    User.objects.filter(pk=people["kay"].pk).update(referred_by=sam)
    User.objects.filter(pk=tom.pk).update(referred_by=people["lee"])
    for user in (tom, *people.values()):
        user.refresh_from_db()
    asked = move(tom, sam, 150_000_000)

    for actor in (sam, tom, people["kay"], people["lee"]):
        with pytest.raises(MayNotDecide, match=r"These people can: moe@example\.com\.$"):
            decide(asked.pk, actor=actor)

    asked.refresh_from_db()
    assert (asked.state, moved_by_hand()) == (State.WAITING, [])
    decide(asked.pk, actor=people["moe"])


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.DONE},  # nobody agreed
        {"state": State.DECLINED},
        {"state": State.DONE, "decided_by": "sam"},
        {"state": State.DONE, "decided_by": "ann"},
        {"state": State.WAITING, "needs_second": False},
        {"kind": Kind.WITHDRAWAL, "paid_how": ""},
        {"kind": Kind.WITHDRAWAL, "paid_how": "cash", "amount_micros": -1},
    ],
)
def test_the_database_itself_refuses_a_request_without_its_second_person(ann, sam, fields):
    asked = move(ann, sam, 150_000_000)
    people = {"sam": sam, "ann": ann}
    values = {name: people.get(value, value) for name, value in fields.items()}

    with pytest.raises(IntegrityError), transaction.atomic():
        MoneyRequest.objects.filter(pk=asked.pk).update(**values)


@pytest.mark.django_db(transaction=True)
def test_approve_request_by_two_at_once_books_once():
    ann, sam, tom, uma = (customer(f"{name}@example.com") for name in ("ann", "sam", "tom", "uma"))
    asked = [move(ann, sam, 150_000_000 + number) for number in range(4)]

    def press(turn: int) -> bool:
        try:
            approve_request(asked[turn // 2].pk, actor=(tom, uma)[turn % 2])
        except AlreadyDecided:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        passed = list(threads.map(press, range(8)))

    assert sum(passed) == 4
    assert sorted(moved_by_hand()) == [150_000_000 + number for number in range(4)]
    assert balance(ann) == sum(moved_by_hand())
