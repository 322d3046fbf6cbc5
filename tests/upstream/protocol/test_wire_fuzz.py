"""Every value of the wire, from answers as documented, damaged and hostile: what is read can be kept, or is named."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.upstream.protocol.answers_of import ANY_JSON, LISTS, ROWS, damaged, wrapped
from upstream.protocol import parsing
from upstream.protocol.fields import Unreadable
from upstream.reading.amounts import MAX_INTEGER
from upstream.reading.text import line

PARSERS = {
    "categories": parsing.parse_categories,
    "services": parsing.parse_services,
    "inventory": lambda body: parsing.parse_inventory(body, 1),
    "add": parsing.parse_placed_order,
    "status": parsing.parse_order_status,
    "balance": parsing.parse_balance,
    "sms_projects": parsing.parse_sms_projects,
    "sms_countries": parsing.parse_sms_countries,
    "add_sms": parsing.parse_sms_numbers,
    "sms_code": parsing.parse_sms_code,
    "sms_status": parsing.parse_sms_status,
}
# As they were sent: HTML, passwords, and all that was said.
AS_SENT = {"description", "accounts", "raw", "category_sent", "subcategories_sent", "sms_content", "message"}
EXAMPLES = 40
often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def values_in(answer: Any) -> list[Any]:
    """The values that an answer was read into, its rows if it has some."""
    return (
        list(getattr(answer, "services", answer))
        if not isinstance(answer, msgspec.Struct) or hasattr(answer, "services")
        else [answer]
    )


def check_kept(value: Any) -> None:
    """Fail unless a database can hold every field, and a reader sees all of every name."""
    for name in value.__struct_fields__:
        kept = getattr(value, name)
        assert "\x00" not in repr(kept).replace("\\\\", "").replace("\\x00", "\x00"), name
        if isinstance(kept, str) and name not in AS_SENT:
            assert len(kept) <= 10_000
            assert kept == line(kept), (name, kept)
        if isinstance(kept, int):
            assert -MAX_INTEGER - 1 <= kept <= MAX_INTEGER, (name, kept)


@pytest.mark.parametrize("action", ROWS)
@often
@given(data=st.data())
def test_what_is_documented_is_read_whole(action: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(ROWS[action], min_size=1, max_size=4))

    answer = PARSERS[action](body(wrapped(action, rows)))

    read = values_in(answer)
    assert len(read) == (len(rows) if action in LISTS else 1)
    assert not getattr(answer, "set_aside", [])
    for value in read:
        check_kept(value)


@pytest.mark.parametrize("action", ROWS)
@often
@given(data=st.data())
def test_a_damaged_row_costs_only_itself(action: str, data: st.DataObject) -> None:
    good = data.draw(ROWS[action])
    bad = data.draw(damaged(action))
    rows = [good, bad] if action in LISTS else [bad]

    try:
        answer = PARSERS[action](body(wrapped(action, rows)))
    except Unreadable:
        assert action not in LISTS
        return

    read = values_in(answer)
    for value in read:
        check_kept(value)
    if action in LISTS:
        assert len(read) + len(getattr(answer, "set_aside", [])) >= len(rows)
        whole = PARSERS[action](body(wrapped(action, [good])))
        assert values_in(whole)[0] in read


@pytest.mark.parametrize("action", ROWS)
@often
@given(value=ANY_JSON)
def test_any_json_is_read_or_unreadable(action: str, value: Any) -> None:
    for answer in (value, wrapped(action, [value])):
        try:
            read = PARSERS[action](body(answer))
        except Unreadable:
            continue
        for one in values_in(read):
            check_kept(one)
