"""Windows of ids in which an attempt without an answer can lie."""

import pytest

from orders.attempts.windows import Window, window_of
from orders.models import LostAttempt
from tests.orders.attention import attempt_of

pytestmark = pytest.mark.sqlite


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
