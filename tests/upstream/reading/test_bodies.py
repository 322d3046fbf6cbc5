"""Bytes around and inside JSON that somebody cut or wrote in another encoding."""

import pytest

from upstream.errors import Refused
from upstream.protocol import parsing
from upstream.protocol.answers import purchase_answer, read_answer
from upstream.reading.bodies import mended


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (rb'"Half \ud83d"', rb'"Half \ufffd"'),
        (rb'"\ude00 half"', rb'"\ufffd half"'),
        (rb'"\uD83Dx\uDE00"', rb'"\ufffdx\ufffd"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (b'"caf\xe9"', '"caf\ufffd"'.encode()),
    ],
)
def test_a_broken_character_costs_itself(broken: bytes, whole: bytes) -> None:
    assert mended(broken) == whole


@pytest.mark.parametrize(
    "fine", [rb'"\ud83d\ude00"', rb'"\\ud83d"', rb'"\\\\ude00"', '"é😀"'.encode(), rb'"\u00e9\n\""']
)
def test_what_is_whole_is_left_alone(fine: bytes) -> None:
    assert mended(fine) is None


def test_answers_with_a_broken_character_are_read() -> None:
    services = (
        rb'{"services": [{"service": 1, "name": "Half \ud83d", "category": "A", "rate": "1", "min": 1, "max": 2}]}'
    )
    assert [row.name for row in read_answer(200, services, parsing.parse_services).services] == ["Half \ufffd"]
    projects = b'[{"project_id": "1", "name": "caf\xe9", "price": "1", "country_id": "us", "country_title": "USA"}]'
    assert [row.name for row in read_answer(200, projects, parsing.parse_sms_projects)] == ["caf\ufffd"]
    placed = rb'{"order": 77, "message": "ok \ud83d"}'
    assert purchase_answer(200, placed, parsing.parse_placed_order).order_id == "77"
    with pytest.raises(Refused):
        purchase_answer(200, rb'{"error": "Invalid link \ud83d"}', parsing.parse_placed_order)
