"""Parameters of which `make test` takes a sample and `make test-long` the rest: where one more tells little more."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

# Whether a walk asks for each address by each method, or by some of them, others for the next address.
each_method = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "all"])


def each_value_once(**parameters: Sequence[Any] | Mapping[str, Any]) -> pytest.MarkDecorator:
    """Parametrize with all combinations; the sample has every value of every parameter in it, with changing partners.

    A mapping gives its values their names in the test's id.
    """
    named = [[(str(key), one) for key, one in _items(values)] for values in parameters.values()]
    longest = max(map(len, named))
    sample = {tuple(values[place % len(values)][0] for values in named) for place in range(longest)}
    combinations = []
    for combination in itertools.product(*named):
        keys = tuple(key for key, _value in combination)
        marks = () if keys in sample else pytest.mark.long
        combinations.append(pytest.param(*(value for _key, value in combination), id="-".join(keys), marks=marks))
    return pytest.mark.parametrize(list(parameters), combinations)


def every(step: int, values: Iterable[Any]) -> list[Any]:
    """Return the values as parameters of which each `step`th is in the sample, the first one among them."""
    return [pytest.param(value, marks=pytest.mark.long if place % step else ()) for place, value in enumerate(values)]


def orders_of(number: int) -> list[Any]:
    """Return all orders of so many things as parameters; in the sample each thing has each place, forward and back."""
    begun = [tuple((first + place) % number for place in range(number)) for first in range(number)]
    sample = {*begun, *(one[::-1] for one in begun)}
    return [
        pytest.param(order, marks=() if order in sample else pytest.mark.long)
        for order in itertools.permutations(range(number))
    ]


def _items(values: Sequence[Any] | Mapping[str, Any]) -> Iterable[tuple[Any, Any]]:
    return values.items() if isinstance(values, Mapping) else zip(values, values, strict=True)
