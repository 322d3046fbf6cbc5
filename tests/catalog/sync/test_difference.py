"""The pure comparison: whatever was stored, afterwards the shop says what upstream says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.sync.compression import pack, unpack
from catalog.sync.difference import (
    Addition,
    Comparison,
    Derived,
    Difference,
    Event,
    ServiceRecord,
    ServiceUpdate,
    UpstreamFields,
)
from catalog.sync.fetch import CatalogAnswer, Placement, UpstreamOffer
from catalog.sync.names import Names
from catalog.sync.scan import Scan, StoredService, scan_catalog
from catalog.titles.reading import TitleReader

pytestmark = pytest.mark.sqlite

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
NAMES = Names(
    categories={"A": 1, "B": 2},
    subcategories={(1, "x"): 10, (2, "x"): 20},
    category_words={1: "A", 2: "B"},
    subcategory_words={10: "x", 20: "x"},
)


def offered(upstream_id: int, category: str, rate: int) -> UpstreamOffer:
    return UpstreamOffer(
        upstream_id, category, f"Service {upstream_id}", "Default", rate, 1, 10, False, False, None, ""
    )


def sell(fields: UpstreamFields, place: tuple[int, int | None], service: ServiceRecord | None) -> tuple[int, int]:
    return 2 * fields.rate_upstream_micros, 3 * fields.rate_upstream_micros


offers = st.dictionaries(st.integers(1, 12), st.tuples(st.sampled_from("AB"), st.integers(1, 3)), max_size=12).map(
    lambda rows: {upstream_id: offered(upstream_id, *row) for upstream_id, row in rows.items()}
)
pasts = st.dictionaries(st.integers(1, 12), st.tuples(st.integers(0, 2), st.sampled_from(["", "Ours"])), max_size=12)


def answer_of(rows: dict[int, UpstreamOffer], set_aside: set[int]) -> CatalogAnswer:
    aside = [{"service": str(upstream_id), "field": "rate", "problem": "is 0"} for upstream_id in set_aside]
    usable = {upstream_id: offer for upstream_id, offer in rows.items() if upstream_id not in set_aside}
    return CatalogAnswer(len(rows), usable, {"A": ["x"], "B": ["x"]}, aside)


TitleReader().columns("Followers")  # the names of countries are read once, which takes longer than an example may


def everything_asked(answer: CatalogAnswer) -> Placement:
    return Placement({"A", "B"}, {upstream_id: (offer.category, "x") for upstream_id, offer in answer.offers.items()})


def look(answer: CatalogAnswer, stored: list[ServiceRecord], names: Names = NAMES) -> Scan:
    """The first look at these services, as the table would show them."""
    rows = [
        StoredService(
            row.upstream_id,
            row.fields.category_id,
            *row.fields[2:],
            row.fields.subcategory_id,
            row.missed_syncs,
            row.withdrawn_at is not None,
        )
        for row in stored
    ]
    return scan_catalog(answer, rows, names=names)


def compare_touched(answer: CatalogAnswer, stored: list[ServiceRecord]) -> tuple[list[Addition], Difference]:
    """Compare as a sync does that asked no category: only what the first look names is looked at again."""
    found = look(answer, stored)
    comparison = Comparison(answer, everything_asked(answer), names=NAMES, sell=sell, now=NOW)
    again = [row for row in stored if row.upstream_id in found.touched]
    return list(comparison.additions(found.new)), comparison.difference(again)


def past(old: dict[int, UpstreamOffer], history: dict[int, tuple[int, str]]) -> list[ServiceRecord]:
    rows = []
    for upstream_id, offer in old.items():
        missed, display_name = history.get(upstream_id, (0, ""))
        category_id = NAMES.categories[offer.category]
        fields = UpstreamFields(category_id, NAMES.subcategories[category_id, "x"], *offer[2:])
        text = NAMES.search_text(fields.name, display_name, category_id, fields.subcategory_id)
        derived = Derived(text, *sell(fields, (1, None), None), *TitleReader().columns(fields.name))
        withdrawn_at = BEFORE if missed >= 2 else None
        own = (display_name, "", {}, None, None, None)
        kept = (missed, withdrawn_at, {}, None)
        rows.append(ServiceRecord(100 + upstream_id, upstream_id, *own, *kept, fields, derived))
    return rows


def applied(stored: list[ServiceRecord], additions: list[Addition], difference: Difference) -> dict[int, ServiceRecord]:
    """What the table holds after the writes, by upstream id."""
    changes: dict[int, ServiceUpdate] = {change.id: change for change in difference.changes}
    rows = {}
    for service in stored:
        change = changes.get(service.id)
        rows[service.upstream_id] = (
            service
            if change is None
            else service._replace(
                missed_syncs=change.missed_syncs,
                withdrawn_at=change.withdrawn_at,
                fields=change.fields,
                derived=change.derived,
            )
        )
    for upstream_id, fields, derived in additions:
        rows[upstream_id] = ServiceRecord(
            500 + upstream_id, upstream_id, "", "", {}, None, None, None, 0, None, {}, None, fields, derived
        )
    return rows


@given(offers, pasts, offers, st.sets(st.integers(1, 12), max_size=3))
def test_compare_of_any_two_catalogs_leads_to_what_is_offered(
    old: dict[int, UpstreamOffer], history: dict, new: dict[int, UpstreamOffer], set_aside: set[int]
) -> None:
    stored = past(old, history)
    usable = {upstream_id: offer for upstream_id, offer in new.items() if upstream_id not in set_aside}

    rows = applied(stored, *compare_touched(answer_of(new, set_aside), stored))

    for upstream_id, offer in usable.items():
        service = rows[upstream_id]
        category_id = NAMES.categories[offer.category]
        fields = UpstreamFields(category_id, NAMES.subcategories[category_id, "x"], *offer[2:])
        assert service.fields == fields
        text = NAMES.search_text(fields.name, service.display_name, category_id, fields.subcategory_id)
        titles = TitleReader().columns(fields.name)
        assert service.derived == Derived(text, *sell(fields, (1, None), None), *titles)
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
def test_compare_a_second_time_finds_nothing_more(
    old: dict[int, UpstreamOffer], history: dict, new: dict[int, UpstreamOffer]
) -> None:
    stored = past(old, history)
    once = list(applied(stored, *compare_touched(answer_of(new, set()), stored)).values())
    twice = list(applied(once, *compare_touched(answer_of(new, set()), once)).values())

    assert compare_touched(answer_of(new, set()), twice) == ([], Difference())


def test_compare_when_a_category_was_not_asked_leaves_its_services_where_they_are() -> None:
    stored = past({1: offered(1, "A", 5)}, {})
    answer = answer_of({1: offered(1, "A", 6)}, set())

    comparison = Comparison(answer, Placement({"B"}, {}), names=NAMES, sell=sell, now=NOW)

    assert [change.fields.subcategory_id for change in comparison.difference(stored).changes] == [10]


def test_compare_of_each_kind_of_change_writes_the_history_that_an_admin_reads() -> None:
    stored = past(
        {pk: offered(pk, "A", 5) for pk in (1, 2, 3, 4, 5, 6, 7)}, {3: (1, ""), 4: (2, ""), 5: (2, ""), 6: (1, "")}
    )
    new = {
        1: offered(1, "A", 9),
        2: offered(2, "B", 5)._replace(name="Renamed", max_quantity=50),
        4: offered(4, "A", 5),
        5: offered(5, "A", 7),
        6: offered(6, "A", 5),
        7: offered(7, "A", 5)._replace(stock=3),
    }

    _additions, difference = compare_touched(answer_of(new, set()), stored)

    renamed = {"name": ["Service 2", "Renamed"], "max_quantity": [10, 50], "place": ["A · x", "B · x"]}
    assert difference.history == [
        Event(101, "rate", 5, 9),
        Event(102, "fields", fields=renamed),
        Event(103, "withdrawn"),
        Event(104, "back"),
        Event(105, "back"),
        Event(105, "rate", 5, 7),
    ]
    counts = (difference.changed, difference.repriced, difference.withdrawn, difference.returned)
    assert counts == (3, 2, 1, 2)
    assert [change.id for change in difference.changes] == [101, 102, 103, 104, 105, 106, 107]


def test_scan_names_only_the_categories_where_something_is_new() -> None:
    rows = {1: offered(1, "A", 5), 2: offered(2, "B", 5)}
    settled = past(rows, {})
    gone = replace(NAMES, subcategories={**NAMES.subcategories, (1, "gone"): 11})
    fewer = replace(NAMES, subcategories={(1, "x"): 10})

    def ask(stored: list[ServiceRecord], names: Names = NAMES) -> set[str]:
        return look(answer_of(rows, set()), stored, names).ask

    def first_in(category_id: int, subcategory_id: int | None) -> list[ServiceRecord]:
        fields = settled[0].fields._replace(category_id=category_id, subcategory_id=subcategory_id)
        return [settled[0]._replace(fields=fields), settled[1]]

    assert ask(settled) == set()
    assert ask(settled[:1]) == {"B"}
    assert ask([settled[0]._replace(withdrawn_at=BEFORE), settled[1]]) == {"A"}
    assert ask(first_in(2, 20)) == {"A"}
    assert ask(first_in(1, 11), gone) == {"A"}
    assert ask(first_in(1, None)) == set()
    assert ask([settled[0]], fewer) == {"B"}


def test_scan_tells_what_vanished_now_from_what_was_missing_before() -> None:
    stored = past({pk: offered(pk, "A", 5) for pk in (1, 2, 3, 4)}, {2: (1, ""), 3: (2, "")})

    found = look(answer_of({4: offered(4, "A", 6)}, set()), stored)

    assert [service.upstream_id for service in found.vanished] == [1]
    assert [service.upstream_id for service in found.changed] == [4]
    assert (found.on_sale, found.touched, found.new, found.back) == (3, {1, 2, 4}, [], [])


@given(offers, st.sets(st.integers(1, 12), max_size=3))
def test_pack_of_any_answer_unpacks_to_the_same(rows: dict[int, UpstreamOffer], set_aside: set[int]) -> None:
    answer = answer_of(rows, set_aside)
    answer.product_categories = {"B"}
    shuffled = replace(answer, offers=dict(reversed(answer.offers.items())))

    packed = pack(answer, everything_asked(answer))

    assert unpack(packed) == (answer, everything_asked(answer))
    assert pack(shuffled, everything_asked(shuffled)) == packed
