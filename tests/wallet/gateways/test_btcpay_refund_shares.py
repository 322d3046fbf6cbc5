"""Several refunds of one BTCPay invoice, told by a key that may not list them: what is known of each stays."""

import itertools
from typing import Any

import pytest

from accounts.models import User
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.paying import DOLLAR, balance, btcpay_paid, btcpay_says, outcomes
from wallet.models import TopUp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]
Status = TopUp.Status


@pytest.fixture
def top_up(ann: User, btcpay_server: FakeBtcpay) -> TopUp:
    """Ten dollars of Ann's, paid in bitcoin; she had a hundred. The key may not list refunds."""
    btcpay_server.lists_refunds = False
    return btcpay_paid(ann, btcpay_server)


def claimed(server: FakeBtcpay, top_up: TopUp, amount: str, state: str = "Completed", **about: Any) -> dict[str, Any]:
    """A refund that was claimed; nothing is told yet."""
    return server.payout(server.refund(top_up.gateway_id, **about), amount, state)


def tells(server: FakeBtcpay, *payouts: dict[str, Any]) -> None:
    for payout in payouts:
        assert btcpay_says(server.payout_event("PayoutUpdated", payout)) == 200


def refunded(top_up: TopUp) -> tuple[int, int]:
    """What is refunded, and what is in the wallet."""
    top_up.refresh_from_db()
    return top_up.refunded_micros, balance(top_up.user)


def test_refund_when_a_second_one_is_told_keeps_the_first(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    tells(btcpay_server, claimed(btcpay_server, top_up, "6.00"))
    assert refunded(top_up) == (6 * DOLLAR, 104 * DOLLAR)

    tells(btcpay_server, claimed(btcpay_server, top_up, "1.00"))

    assert refunded(top_up) == (7 * DOLLAR, 103 * DOLLAR)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_refunds_when_told_in_any_order_and_twice_add_up(
    top_up: TopUp, btcpay_server: FakeBtcpay, order: tuple[int, ...]
) -> None:
    payouts = [claimed(btcpay_server, top_up, amount) for amount in ("5.00", "1.00", "2.00")]
    events = [btcpay_server.payout_event("PayoutCreated", payout) for payout in payouts]

    for place in (*order, *order):  # the second time as redeliveries
        assert btcpay_says(events[place]) == 200
    tells(btcpay_server, *(payouts[place] for place in order))  # and as news of their own

    assert refunded(top_up) == (8 * DOLLAR, 102 * DOLLAR)
    assert outcomes().count("repeated") == 3


@pytest.mark.parametrize("canceled", [0, 1])
def test_refund_when_canceled_returns_its_own_share_alone(
    top_up: TopUp, btcpay_server: FakeBtcpay, canceled: int
) -> None:
    payouts = [claimed(btcpay_server, top_up, "6.00", "InProgress"), claimed(btcpay_server, top_up, "1.00")]
    tells(btcpay_server, *payouts)

    payouts[canceled]["state"] = "Cancelled"
    tells(btcpay_server, payouts[canceled], payouts[canceled])

    left = [1, 6][canceled]
    assert refunded(top_up) == (left * DOLLAR, (110 - left) * DOLLAR)


def test_refund_when_one_of_its_claims_is_canceled_keeps_the_other(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    pull = btcpay_server.refund(top_up.gateway_id)
    first, second = btcpay_server.payout(pull, "2.00"), btcpay_server.payout(pull, "3.00", "Completed")
    other = claimed(btcpay_server, top_up, "1.00")
    tells(btcpay_server, first, other)

    first["state"] = "Cancelled"
    tells(btcpay_server, second)

    assert refunded(top_up) == (4 * DOLLAR, 106 * DOLLAR)


def test_refunds_when_they_come_to_more_than_was_paid_take_no_more(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    payouts = [claimed(btcpay_server, top_up, "8.00", "InProgress"), claimed(btcpay_server, top_up, "7.00")]
    tells(btcpay_server, *payouts)
    assert refunded(top_up) == (15 * DOLLAR, 100 * DOLLAR)

    payouts[0]["state"] = "Cancelled"
    tells(btcpay_server, payouts[0])

    assert refunded(top_up) == (7 * DOLLAR, 103 * DOLLAR)


def test_refunds_when_listing_is_allowed_later_are_all_that_the_server_knows(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    first = claimed(btcpay_server, top_up, "3.00", "InProgress")
    tells(btcpay_server, first)
    first["state"] = "Cancelled"  # of which nobody told
    claimed(btcpay_server, top_up, "2.00")  # nor of this

    btcpay_server.lists_refunds = True
    tells(btcpay_server, claimed(btcpay_server, top_up, "1.00"))

    assert refunded(top_up) == (3 * DOLLAR, 107 * DOLLAR)


def test_refunds_when_listing_is_forbidden_later_keep_what_was_listed(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.lists_refunds = True
    claimed(btcpay_server, top_up, "4.00")
    second = claimed(btcpay_server, top_up, "2.00", "InProgress")
    tells(btcpay_server, second)
    assert refunded(top_up) == (6 * DOLLAR, 104 * DOLLAR)

    btcpay_server.lists_refunds = False
    second["state"] = "Cancelled"
    tells(btcpay_server, second)

    assert refunded(top_up) == (4 * DOLLAR, 106 * DOLLAR)


def test_refunds_when_one_was_renamed_at_the_server_keep_it(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    btcpay_server.lists_refunds = True
    first = claimed(btcpay_server, top_up, "4.00")
    tells(btcpay_server, first)
    btcpay_server.pulls[first["pullPaymentId"]]["name"] = "Ann's money"

    tells(btcpay_server, claimed(btcpay_server, top_up, "1.00"))

    assert refunded(top_up) == (5 * DOLLAR, 105 * DOLLAR)


@pytest.mark.parametrize(("claim", "at_first"), [(1, 6), (7, 7)])
def test_refunds_when_booked_before_shares_were_kept_are_not_returned_for_another_one(
    top_up: TopUp, btcpay_server: FakeBtcpay, claim: int, at_first: int
) -> None:
    """What turns up by name may be what was booked, until the other is named as well."""
    first = claimed(btcpay_server, top_up, "6.00")
    tells(btcpay_server, first)
    TopUp.objects.update(refund_shares={})

    second = claimed(btcpay_server, top_up, f"{claim}.00", "InProgress")
    tells(btcpay_server, second)
    assert refunded(top_up) == (at_first * DOLLAR, (110 - at_first) * DOLLAR)
    tells(btcpay_server, first)
    assert refunded(top_up) == ((6 + claim) * DOLLAR, max(100, 104 - claim) * DOLLAR)

    second["state"] = "Cancelled"
    tells(btcpay_server, second)
    assert refunded(top_up) == (6 * DOLLAR, 104 * DOLLAR)


@pytest.mark.parametrize("claim", ["4.00", "7.00"])
def test_refunds_when_another_one_is_canceled_return_nothing_of_what_was_booked_before(
    top_up: TopUp, btcpay_server: FakeBtcpay, claim: str
) -> None:
    tells(btcpay_server, claimed(btcpay_server, top_up, "6.00"))
    TopUp.objects.update(refund_shares={})
    second = claimed(btcpay_server, top_up, claim, "InProgress")
    tells(btcpay_server, second)

    second["state"] = "Cancelled"
    tells(btcpay_server, second)

    assert refunded(top_up) == (6 * DOLLAR, 104 * DOLLAR)


def test_refunds_when_booked_before_shares_were_kept_and_all_are_listed_are_what_the_server_knows(
    top_up: TopUp, btcpay_server: FakeBtcpay
) -> None:
    first = claimed(btcpay_server, top_up, "6.00", "InProgress")
    tells(btcpay_server, first)
    TopUp.objects.update(refund_shares={})
    btcpay_server.lists_refunds = True

    first["state"] = "Cancelled"
    tells(btcpay_server, first)

    assert refunded(top_up) == (0, 110 * DOLLAR)


def test_refund_when_it_is_in_bitcoin_leaves_what_is_known_to_a_human(top_up: TopUp, btcpay_server: FakeBtcpay) -> None:
    tells(btcpay_server, claimed(btcpay_server, top_up, "4.00"))

    tells(btcpay_server, claimed(btcpay_server, top_up, "0.0001", currency="BTC"))

    assert refunded(top_up) == (4 * DOLLAR, 106 * DOLLAR)
    assert (top_up.status, bool(top_up.attention)) == (Status.REVIEW, True)
