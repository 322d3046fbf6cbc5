"""The only assignment: what all explanations have in common is settled, and nothing else."""

import itertools
import random
from collections.abc import Collection, Mapping

import pytest

from orders.reconciliation.assignment import explain


@pytest.fixture(autouse=True)
def _status_of_numbers() -> None:
    """No supplier is asked here."""


def brute_force(
    edges: Mapping[int, Collection[int]], attempts: Collection[int], optional: Collection[int]
) -> list[dict[int, int | None]]:
    """Return every assignment that gives each candidate an attempt of its own; an optional one may have none."""
    choices = [[*edges[candidate], *([None] if candidate in optional else [])] for candidate in edges]
    found = []
    for chosen in itertools.product(*choices):
        taken = [attempt for attempt in chosen if attempt is not None]
        if len(taken) == len(set(taken)):
            found.append(dict(zip(edges, chosen, strict=True)))
    return found


def test_explain_when_graphs_are_drawn_at_random_agrees_with_trying_every_assignment() -> None:
    for seed in range(300):
        compare_with_every_assignment(random.Random(seed), f"drawn with {seed}")


def compare_with_every_assignment(draw: random.Random, drawn: str) -> None:
    """Draw a graph, and compare what is said of it with what trying out says."""
    attempts = [100 + number for number in range(draw.randint(1, 5))]
    edges = {
        number: draw.sample(attempts, draw.randint(0 if draw.random() < 0.2 else 1, len(attempts)))
        for number in range(draw.randint(0, 5))
    }
    optional = [number for number in edges if draw.random() < 0.25]

    explanations = explain(edges, attempts, optional=optional)
    all_of_them = brute_force(edges, attempts, optional)

    if not all_of_them:
        assert explanations is None, drawn
        return
    assert explanations is not None, drawn
    assert explanations.owners == {
        number: frozenset(one[number] for one in all_of_them if one[number] is not None) for number in edges
    }, drawn
    strangers = {number for number in edges if any(one[number] is None for one in all_of_them)}
    assert explanations.strangers == strangers, drawn
    used = {attempt for one in all_of_them for attempt in one.values()}
    assert explanations.empty_handed == set(attempts) - used, drawn


def test_explain_when_a_candidate_has_no_attempt_then_there_is_no_explanation() -> None:
    assert explain({7: []}, [1]) is None


def test_explain_when_more_candidates_than_attempts_then_there_is_no_explanation() -> None:
    assert explain({7: [1], 8: [1]}, [1]) is None
