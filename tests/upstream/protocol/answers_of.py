"""Answers as hypothesis makes them, for every value of the wire: as the document has it, damaged, and hostile."""

from typing import Any

from hypothesis import strategies as st

from upstream.reading.text import means_nothing

TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Cn", "Co", "Z"]), min_size=1, max_size=30).filter(
    lambda text: "&" not in text and not means_nothing(text)
)
MONEY = st.decimals(min_value=0, max_value=100_000, places=4).map(str)
WHOLE = st.integers(1, 10**9)
ID = st.one_of(
    WHOLE, WHOLE.map(str), st.text("0123456789abcdef", min_size=24, max_size=24).filter(lambda text: text.strip("0"))
)
MOMENT = st.datetimes().map(lambda moment: f"{moment.replace(year=2026).isoformat(timespec='seconds')}Z")
# One row, or one answer without rows, as the document shows it.
ROWS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "categories": st.fixed_dictionaries({"category": TEXT, "subcategories": st.lists(TEXT, max_size=3)}),
    "services": st.fixed_dictionaries(
        {"service": WHOLE, "name": TEXT, "category": TEXT, "type": TEXT, "rate": MONEY, "min": WHOLE, "max": WHOLE},
        optional={
            "refill": st.booleans(),
            "cancel": st.booleans(),
            "stock": WHOLE,
            "description": st.text(max_size=50),
        },
    ),
    "inventory": st.fixed_dictionaries({"service": WHOLE, "stock": WHOLE, "available": st.booleans()}),
    "add": st.fixed_dictionaries({"order": ID}),
    "status": st.fixed_dictionaries(
        {"status": TEXT, "charge": MONEY, "start_count": WHOLE, "remains": WHOLE, "currency": st.just("USD")},
        optional={"accounts": st.lists(st.text(min_size=1), max_size=3)},
    ),
    "balance": st.fixed_dictionaries({"balance": MONEY, "currency": st.just("USD")}),
    "sms_projects": st.fixed_dictionaries(
        {
            "project_id": ID,
            "name": TEXT,
            "price": MONEY,
            "country_id": st.sampled_from(["us", "gb"]),
            "country_title": TEXT,
        }
    ),
    "sms_countries": st.fixed_dictionaries(
        {"country_code": st.sampled_from(["us", "gb", "+93"]), "country_name": TEXT}
    ),
    "add_sms": st.fixed_dictionaries(
        {"order": ID, "phone": WHOLE.map(str), "country": st.just("us"), "status": st.just("active")}
    ),
    "sms_code": st.fixed_dictionaries({"status": st.just("completed"), "code": WHOLE.map(str), "sms_content": TEXT}),
    "sms_status": st.fixed_dictionaries(
        {
            "status": TEXT,
            "phone": WHOLE.map(str),
            "code": st.just(""),
            "charge": MONEY,
            "currency": st.just("USD"),
            "expires_at": MOMENT,
        }
    ),
}
# What the rows of an answer stand in; "" is the bare array. What is not here is one object.
LISTS = {
    "categories": "categories",
    "services": "services",
    "sms_projects": "",
    "sms_countries": "",
    "add_sms": "orders",
}

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.text(st.characters(categories=["Cf", "Cc", "Mn", "Zs"]), max_size=20),
    st.sampled_from(
        [
            "",
            "a/b",
            "x" * 10_000,
            "1_000",
            "0,50",
            "1e999",
            "NaN",
            "-1",
            "&#0;",
            "&amp;lt;",
            "0",
            "null",
            "\u202e",
            "9" * 400,
        ]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
ANY_JSON = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, action: str) -> dict[str, Any]:
    """A row with one to three of its fields exchanged, left out or added."""
    row = dict(draw(ROWS[action]))
    for name in draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=3)):
        if draw(st.integers(0, 5)):
            row[name] = draw(ODD)
        else:
            row.pop(name, None)
    return row | draw(st.dictionaries(st.text(max_size=6).filter(lambda name: name not in row), ODD, max_size=1))


def wrapped(action: str, rows: list[Any]) -> Any:
    """Return these rows as an answer of this action, one object where it has no rows."""
    if action not in LISTS:
        return rows[0]
    return {LISTS[action]: rows} if LISTS[action] else rows
