"""Reads slow down when upstream says so, go on where they were, and go faster again."""

import time

from tests.upstream.raw_server import BALANCE, RawServer, answer, client_of, say_in_turn
from upstream.limits.pace import ANSWERS_TO_GO_FASTER, FIRST_GAP_SECONDS, LONGEST_GAP_SECONDS, Pace

LIMIT = answer('{"error": "You have reached the rate limit"}')


def test_turn_without_a_complaint_is_now() -> None:
    pace = Pace()

    assert [pace.turn(0) for _each in range(9)] == [0.0] * 9


def test_turn_after_a_complaint_comes_one_after_the_other_or_not_at_all() -> None:
    pace = Pace()
    for _each in range(8):  # calls that were under way together are one complaint
        pace.slower()

    first, second, third = pace.turn(60), pace.turn(60), pace.turn(FIRST_GAP_SECONDS)

    assert pace.gap_seconds == FIRST_GAP_SECONDS
    assert first is not None
    assert second is not None
    assert FIRST_GAP_SECONDS - 0.5 < first <= FIRST_GAP_SECONDS
    assert FIRST_GAP_SECONDS - 0.1 < second - first < FIRST_GAP_SECONDS + 0.1
    assert third is None


def test_gap_is_bounded_and_closes_when_upstream_answers() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    for _each in range(9):
        now[0] += 60
        pace.slower()
    assert pace.gap_seconds == LONGEST_GAP_SECONDS

    for _each in range(9 * ANSWERS_TO_GO_FASTER):
        pace.answered()

    assert (pace.gap_seconds, pace.turn(0)) == (0.0, 0.0)


def test_balance_when_upstream_complains_with_http_200_waits_and_goes_on() -> None:
    with RawServer(say_in_turn(LIMIT, BALANCE)) as server:
        client = client_of(server)
        began = time.monotonic()

        assert str(client.balance().balance) == "100.00"

        assert FIRST_GAP_SECONDS - 0.1 < time.monotonic() - began < 2 * FIRST_GAP_SECONDS
        assert len(server.received) == 2
