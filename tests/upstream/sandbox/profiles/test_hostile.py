"""The profile `hostile`: what is damaged, by which dice, and what stays true; asked over plain HTTP."""

import json
from typing import Any

import msgspec
import pytest
import requests

from tests.upstream.sandbox_calls import FOLLOWERS, LINK, first_project
from upstream.sandbox.process import Sandbox
from upstream.sandbox.profiles.hostile import BOM, KINDS, OF_FIELDS

CALLS: list[dict[str, Any]] = [
    {"action": "services"},
    {"action": "categories"},
    {"action": "balance"},
    {"action": "inventory", "service": FOLLOWERS},
    {"action": "sms_projects"},
    {"action": "sms_countries"},
    {"action": "nothing"},
]


def raw(box: Sandbox, **params: Any) -> bytes:
    return requests.post(box.url, data={"key": box.key, **params}, timeout=20).content


def decoded(body: bytes) -> Any:
    return msgspec.json.decode(body.removeprefix(BOM))


def test_answers_when_the_seed_is_the_same_are_damaged_the_same(box: Sandbox) -> None:
    def everything(seed: int) -> list[bytes]:
        box.reset(seed=seed)
        box.set(profiles=["hostile"])
        return [raw(box, **call) for _each in range(3) for call in CALLS]

    first, again, other = everything(1), everything(1), everything(2)

    assert first == again
    # The same question has another answer the next time, or nothing that is asked again would ever come right.
    assert first[: len(CALLS)] != first[len(CALLS) : 2 * len(CALLS)]
    assert first != other


def test_answers_when_damaged_are_mostly_whole_and_every_kind_comes(box: Sandbox) -> None:
    box.set(profiles=["hostile"])
    for _each in range(20):
        for call in CALLS:
            raw(box, **call)
    damage = [(entry["action"], one) for entry in box.requests for one in entry["damage"]]

    assert {one.rpartition(" ")[2] for _action, one in damage} == set(KINDS) - {"time"}
    rows = sum(len(decoded(raw(box, action="services"))["services"] or []) for _each in range(5))
    of_rows = sum("." in one for action, one in damage if action == "services") / 20
    assert 0 < of_rows < rows / 5 / 10


@pytest.mark.parametrize("kind", [kind for kind in OF_FIELDS if kind != "time"])
def test_damage_when_a_field_and_a_kind_are_named_strikes_there_alone(box: Sandbox, kind: str) -> None:
    whole = decoded(raw(box, action="services"))

    box.set(profiles=["hostile"], damage_kinds=[kind], damage_fields=["name"], damage_rate=1)

    rows = decoded(raw(box, action="services"))["services"]
    assert all(row.get("name") != before["name"] for row, before in zip(rows, whole["services"], strict=True))
    for row, before in zip(rows, whole["services"], strict=True):
        assert {**row, "name": ""} == {**before, "name": ""}
    assert box.requests[-1]["damage"] == [f"services.{place}.name: {kind}" for place in range(60)]


def test_damage_when_it_is_a_byte_order_mark_stands_before_every_answer(box: Sandbox) -> None:
    box.set(profiles=["hostile"], damage_kinds=["bom"], damage_rate=1)

    for call in CALLS:
        assert raw(box, **call).startswith(BOM + (b"{" if "sms" not in call["action"] else b"["))


def test_damage_when_rows_are_doubled_counts_them_and_one_may_be_cheaper(box: Sandbox) -> None:
    box.set(profiles=["hostile"], damage_kinds=["doubled"], damage_rate=1)

    answer = decoded(raw(box, action="services"))

    assert answer["total"] == answer["limit"] == len(answer["services"]) > 60
    prices: dict[int, set[str]] = {}
    for row in answer["services"]:
        prices.setdefault(row["service"], set()).add(row["rate"])
    assert any("0.0001" in rates and len(rates) == 2 for rates in prices.values())


def test_purchase_when_its_answer_is_damaged_is_true_inside(box: Sandbox) -> None:
    project = first_project(lambda action, **params: decoded(raw(box, action=action, **params)))
    box.set(profiles=["hostile"], damage_rate=1)

    for _each in range(10):
        raw(box, action="add", service=FOLLOWERS, link=LINK, quantity=1000)
        raw(box, action="add_sms", project_id=project)

    orders = box.orders
    assert [order["id"] for order in orders] == list(range(23_501, 23_521))
    assert {order["charge"] for order in orders} == {"0.50"}
    assert box.books()["adds_up"] is True
    assert all(entry["damage"] for entry in box.requests if entry["action"] in ("add", "add_sms"))


def test_damage_when_an_order_id_is_struck_is_never_another_id(box: Sandbox) -> None:
    box.set(profiles=["hostile"], damage_fields=["order"], damage_rate=1)

    for number in range(300):
        answer = decoded(raw(box, action="add", service=FOLLOWERS, link=LINK, quantity=100))
        said = answer.get("order")
        text = str(said).strip() if isinstance(said, str | int | float) and not isinstance(said, bool) else ""
        plain = text.isascii() and text.isdigit() and len(text) < 20 and text.strip("0")
        assert not plain or int(text) == 23_501 + number, said


def test_damage_when_a_code_is_awaited_names_words_that_are_none(box: Sandbox) -> None:
    project = first_project(lambda action, **params: decoded(raw(box, action=action, **params)))
    order = decoded(raw(box, action="add_sms", project_id=project))["orders"][0]["order"]
    box.set(profiles=["hostile"], damage_kinds=["null"], damage_fields=["code"], damage_rate=1)

    codes = [decoded(raw(box, action="sms_status", order=order))["code"] for _each in range(60)]

    assert {json.dumps(code) for code in codes} > {"0", '"0"', '"null"', '"-"', '"N/A"', '"undefined"'}


def test_damage_when_it_is_a_time_comes_in_every_odd_form(box: Sandbox) -> None:
    project = first_project(lambda action, **params: decoded(raw(box, action=action, **params)))
    order = decoded(raw(box, action="add_sms", project_id=project))["orders"][0]["order"]
    box.set(profiles=["hostile"], damage_kinds=["time"], damage_rate=1)

    times = {str(decoded(raw(box, action="sms_status", order=order))["expires_at"]) for _each in range(150)}

    assert {"0000-00-00 00:00:00", "never", "0", "2023-01-01T12:00:00.000Z"} < times
    assert any(time.isdigit() and len(time) == 13 for time in times)
    assert len(times) > 15


def test_error_when_damaged_may_name_an_order_that_is_none(box: Sandbox) -> None:
    box.set(profiles=["hostile"], damage_kinds=["both"], damage_rate=1)

    said = [decoded(raw(box, action="add", service=FOLLOWERS, link="@me", quantity=1000)) for _each in range(30)]

    assert {answer["error"] for answer in said} == {"Invalid link"}
    assert {json.dumps(answer["order"]) for answer in said} >= {"0", '"0"', "null", '""'}
    assert box.orders == []
