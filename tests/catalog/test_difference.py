"""The pure comparison: whatever was stored, afterwards the shop says what upstream says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog.sync.difference import Change, Difference, Names, Place, Stored, categories_to_ask, compare
from catalog.sync.fetch import Listing, Offer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
NAMES = Names(
    categories={"A": 1, "B": 2},
    subcategories={(1, "x"): 10, (2, "x"): 20},
    category_words={1: "A", 2: "B"},
    subcategory_words={10: "x", 20: "x"},
)


def offered(upstream_id: int, category: str, rate: int) -> Offer:
    return Offer(upstream_id, category, f"Service {upstream_id}", "Default", rate, 1, 10, False, False, None, "")


offers = st.dictionaries(st.integers(1, 12), st.tuples(st.sampled_from("AB"), st.integers(1, 3)), max_size=12).map(
    lambda rows: {upstream_id: offered(upstream_id, *row) for upstream_id, row in rows.items()}
)
pasts = st.dictionaries(st.integers(1, 12), st.tuples(st.integers(0, 2), st.sampled_from(["", "Ours"])), max_size=12)


def listing_of(rows: dict[int, Offer], set_aside: set[int]) -> Listing:
    aside = [{"service": str(upstream_id), "field": "rate", "problem": "is 0"} for upstream_id in set_aside]
    kept = {upstream_id: offer for upstream_id, offer in rows.items() if upstream_id not in set_aside}
    return Listing(len(rows), kept, {"A": ["x"], "B": ["x"]}, aside)


def compare_all(listing: Listing, stored: list[Stored]) -> Difference:
    pairs = {upstream_id: (offer.category, "x") for upstream_id, offer in listing.offers.items()}
    return compare(listing, stored, names=NAMES, pair_of=pairs, asked_categories={"A", "B"}, now=NOW)


def past(old: dict[int, Offer], history: dict[int, tuple[int, str]]) -> list[Stored]:
    rows = []
    for upstream_id, offer in old.items():
        missed, shown_name = history.get(upstream_id, (0, ""))
        fields = NAMES.fields(offer, NAMES.subcategories[NAMES.categories[offer.category], "x"], shown_name)
        withdrawn_at = BEFORE if missed >= 2 else None
        rows.append(Stored(100 + upstream_id, upstream_id, shown_name, missed, withdrawn_at, fields))
    return rows


def applied(stored: list[Stored], difference: Difference) -> dict[int, Stored]:
    """What the table holds after the writes, by upstream id."""
    changes: dict[int, Change] = {change.id: change for change in difference.changes}
    rows = {}
    for service in stored:
        change = changes.get(service.id)
        rows[service.upstream_id] = (
            service
            if change is None
            else service._replace(
                missed_syncs=change.missed_syncs, withdrawn_at=change.withdrawn_at, fields=change.fields
            )
        )
    for addition in difference.additions:
        rows[addition.upstream_id] = Stored(
            500 + addition.upstream_id, addition.upstream_id, "", 0, None, addition.fields
        )
    return rows


@given(offers, pasts, offers, st.sets(st.integers(1, 12), max_size=3))
def test_compare_of_any_two_catalogs_leads_to_what_is_offered(
    old: dict[int, Offer], history: dict, new: dict[int, Offer], set_aside: set[int]
) -> None:
    stored = past(old, history)
    usable = {upstream_id: offer for upstream_id, offer in new.items() if upstream_id not in set_aside}

    rows = applied(stored, compare_all(listing_of(new, set_aside), stored))

    for upstream_id, offer in usable.items():
        service = rows[upstream_id]
        subcategory_id = NAMES.subcategories[NAMES.categories[offer.category], "x"]
        assert service.fields == NAMES.fields(offer, subcategory_id, service.shown_name)
        assert (service.missed_syncs, service.withdrawn_at) == (0, None)
    for service in stored:
        after = rows[service.upstream_id]
        if service.upstream_id in set_aside or (service.withdrawn_at and service.upstream_id not in usable):
            assert after == service
        elif service.upstream_id not in usable:
            assert after.fields == service.fields
            assert after.missed_syncs == service.missed_syncs + 1
            assert (after.withdrawn_at is not None) == (after.missed_syncs == 2)


@given(offers, pasts, offers)
def test_compare_a_second_time_finds_nothing_more(old: dict[int, Offer], history: dict, new: dict[int, Offer]) -> None:
    stored = past(old, history)
    once = list(applied(stored, compare_all(listing_of(new, set()), stored)).values())
    twice = list(applied(once, compare_all(listing_of(new, set()), once)).values())

    difference = compare_all(listing_of(new, set()), twice)

    assert not difference
    assert (difference.changed, difference.withdrawn, difference.returned) == (0, 0, 0)


def test_compare_when_a_category_was_not_asked_leaves_its_services_where_they_are() -> None:
    stored = past({1: offered(1, "A", 5)}, {})
    listing = listing_of({1: offered(1, "A", 6)}, set())

    difference = compare(listing, stored, names=NAMES, pair_of={}, asked_categories={"B"}, now=NOW)

    assert [change.fields.subcategory_id for change in difference.changes] == [10]


def test_categories_to_ask_names_only_those_where_something_is_new() -> None:
    rows = {1: offered(1, "A", 5), 2: offered(2, "B", 5)}
    settled = {1: Place("A", "x", withdrawn=False), 2: Place("B", "x", withdrawn=False)}
    known = {("A", "x"), ("B", "x")}

    def ask(places: dict[int, Place], pairs: set) -> set[str]:
        return categories_to_ask(listing_of(rows, set()), places, known=pairs)

    assert ask(settled, known) == set()
    assert ask({1: settled[1]}, known) == {"B"}
    assert ask({**settled, 1: Place("A", "x", withdrawn=True)}, known) == {"A"}
    assert ask({**settled, 1: Place("B", "x", withdrawn=False)}, known) == {"A"}
    assert ask({**settled, 1: Place("A", "gone", withdrawn=False)}, known) == {"A"}
    assert ask({**settled, 1: Place("A", None, withdrawn=False)}, known) == set()
    assert ask(settled, {("A", "x")}) == {"B"}
