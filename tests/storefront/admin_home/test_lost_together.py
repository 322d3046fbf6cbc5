"""Orders that a restore or an outage left unanswered wait as one line of the queue, not as hundreds."""

import pytest

from accounts.models import User
from orders.attempts.answers import note_lost
from orders.lifecycle.attention import clear_flags
from orders.models import AttentionFlag, LostAttempt, Order
from tests.orders.attention import flag
from tests.security.staff import at_the_admin
from tests.storefront.admin_home.test_queue import NOW, PRICE, order, queue, said
from tests.storefront.admin_rows import make_order

__all__ = ["order"]  # a fixture
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("cause", "doubt", "says", "listed"),
    [
        ("restored", "", "3 orders may have been sent before the restore", "restored"),
        ("restored", "too_wide", "3 orders may have been sent before the restore", "restored"),
        ("no_answer", "too_wide", "3 orders without an answer: more IDs would have to be asked about", "too_wide"),
    ],
)
def test_orders_that_were_lost_together_are_one_line_with_their_money_and_a_list(
    sam: User, order: Order, cause: str, doubt: str, says: str, listed: str
) -> None:
    lost = [order, *(make_order(order.user, price_micros=PRICE) for _each in range(2))]
    alone = make_order(order.user, price_micros=PRICE)
    for one in (*lost, alone):
        note_lost(one, cause if one is not alone else "crashed", "", now=NOW())
    LostAttempt.objects.exclude(order=alone).update(doubt=doubt)
    flag(lost[0], AttentionFlag.Code.OVERCHARGED)  # its own trouble, and its own line
    desk = at_the_admin(sam)

    rows = {row["line"].what: row["line"] for row in queue(desk)["rows"]}

    [together] = [line for what, line in rows.items() if what.startswith(says)]
    assert together.micros == 3 * PRICE
    assert len(rows) == 3
    assert sum(part.total for part in queue(desk)["parts"]) == 3
    shown = desk.get(together.link).context["cl"].result_list
    assert together.link.endswith(f"?attention={listed}")
    assert {one.pk for one in shown} == {one.pk for one in lost}

    LostAttempt.objects.update(state="absent", settled_at=NOW())
    clear_flags([one.pk for one in (*lost, alone)], now=NOW())
    assert said(desk) == []
