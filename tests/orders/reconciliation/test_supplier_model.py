"""Thousands of random histories of a supplier whose truth is known: not one wrong adoption, not one wrong absence."""

from collections import Counter

import pytest

from orders.models import LostAttempt
from tests.orders.reconciliation.supplier_model import History

HISTORIES_A_PART = 500


@pytest.fixture(autouse=True)
def _status_of_numbers() -> None:
    """No supplier is asked here."""


@pytest.mark.parametrize("part", range(8))
def test_verdicts_when_histories_are_drawn_at_random_are_never_wrong(part: int) -> None:
    settled: Counter[str] = Counter()
    for seed in range(part * HISTORIES_A_PART, (part + 1) * HISTORIES_A_PART):
        history = History(seed)
        if any(one.upstream_id is not None and history.unseen_price(one) for one in history.sendings):
            continue
        truth = {one.order * 10 + one.number: one for one in history.sendings}
        ids_of: dict[int, set[int | None]] = {}
        for one in history.sendings:
            ids_of.setdefault(one.order, set()).add(one.upstream_id)
        for cluster in history.clusters():
            for suspect in cluster.suspects:
                verdict = cluster.verdict(suspect, wholly_asked=suspect.attempt.window.last is not None)
                one = truth[suspect.key]
                if verdict.placed_as is not None:
                    assert verdict.placed_as in ids_of[one.order], (seed, one)
                    settled["placed"] += 1
                elif verdict.absent:
                    assert one.upstream_id is None, (seed, one)
                    settled["absent"] += 1
                else:
                    settled[str(verdict.doubt)] += 1

    assert settled["placed"] > HISTORIES_A_PART / 10
    assert settled["absent"] > HISTORIES_A_PART / 10
    assert settled[LostAttempt.Doubt.UNEXPLAINED] == 0
