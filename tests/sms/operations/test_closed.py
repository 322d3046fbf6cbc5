"""Numbers that were bought before the owner closed them go on: codes arrive, money comes back, replacements wait."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from orders.models import Order, Status
from orders.placing.refusals import Closed
from preferences.doors import DOORS, NUMBERS
from sms.models import Number, ReplacementRule
from sms.operations import ReplacementRequest, cancel_number, replace_due_numbers, replace_number, set_replacement_rule
from tests.preferences.known import prefer
from wallet.models import Wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("long_lives")]
RIPE = timedelta(minutes=3)


def close_all() -> None:
    for door in DOORS:
        prefer(door.closed, True)


def test_a_code_arrives_while_everything_is_closed(waiting_number: Order, poll: Any, sandbox: Any) -> None:
    close_all()
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    poll(seconds=10)

    waiting_number.refresh_from_db()
    assert (waiting_number.status, Number.objects.get().code) == (Status.COMPLETED, "482913")


def test_a_number_is_canceled_and_refunded_while_everything_is_closed(
    waiting_number: Order, poll: Any, sandbox: Any, ann: User
) -> None:
    close_all()
    sandbox.set_number(waiting_number.upstream_id, charge="0.0000")

    cancel_number(waiting_number.pk, user=ann)
    poll(minutes=25)

    waiting_number.refresh_from_db()
    assert waiting_number.status == Status.CANCELED
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000


def test_replacements_wait_until_numbers_are_open_again(waiting_number: Order, ann: User, client_upstream: Any) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(625_000))
    prefer(NUMBERS.closed, True)
    later = timezone.now() + RIPE

    with pytest.raises(Closed):
        replace_number(waiting_number.pk, user=ann, project=waiting_number.number.project, shown_price_micros=625_000,
                       request_id="1", client=client_upstream, now=later)  # fmt: skip
    assert replace_due_numbers(client=client_upstream, now=later) == 0
    assert "Numbers can't be bought right now" in ReplacementRule.objects.get().outcome
    assert Number.objects.get().state == Number.State.WAITING

    prefer(NUMBERS.closed, False)
    assert replace_due_numbers(client=client_upstream, now=later + timedelta(minutes=1)) == 1
