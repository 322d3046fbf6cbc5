"""Sets of places: both forms hold the same."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.word_index.postings import bits_of, places_of, posting_of, union

SIZE = 1000
places = st.sets(st.integers(0, SIZE - 1))


@given(places)
def test_places_of_returns_in_order_what_bits_of_was_given(given_places: set[int]) -> None:
    assert places_of(bits_of(given_places, SIZE)) == sorted(given_places)


@given(st.lists(places, max_size=5))
def test_union_has_the_places_of_all_postings_whatever_their_form(sets: list[set[int]]) -> None:
    postings = [posting_of(array("I", sorted(each)), SIZE) for each in sets]

    assert places_of(union(postings, SIZE)) == sorted(set().union(*sets))


@pytest.mark.parametrize(("count", "form"), [(0, array), (SIZE // 32, array), (SIZE // 32 + 1, int), (SIZE, int)])
def test_posting_of_takes_the_shorter_form(count: int, form: type) -> None:
    assert isinstance(posting_of(array("I", range(count)), SIZE), form)
