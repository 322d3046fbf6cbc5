"""Every odd answer we know of, read by the real client: `corpus/*.json`.

A file says why it is there, the action, what upstream answers (`answer` as JSON, or `text` as it is, with `status`
where that is not 200; `then` is what it answers next), and what is read of it: the fields that matter, or the error.
To add one, write a file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.upstream.raw_server import RawServer, answer, client_of, say_in_turn
from upstream import errors
from upstream.client import Client

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
CALLS: dict[str, Callable[[Client], Any]] = {
    "balance": lambda client: client.balance(),
    "categories": lambda client: client.categories(),
    "services": lambda client: client.services(),
    "inventory": lambda client: client.inventory(service_id=1),
    "add": lambda client: client.add(service_id=1, link="https://example.com/post", quantity=100),
    "status": lambda client: client.status(order_id="5"),
    "sms_projects": lambda client: client.sms_projects(),
    "sms_countries": lambda client: client.sms_countries(),
    "add_sms": lambda client: client.add_sms(project_id="65f"),
    "sms_code": lambda client: client.sms_code(order_id="5"),
    "sms_status": lambda client: client.sms_status(order_id="5"),
}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_client_reads_every_answer_of_the_corpus(path: Path) -> None:
    case = json.loads(path.read_text())
    first = case["text"] if "text" in case else json.dumps(case["answer"])
    replies = [answer(first, case.get("status", 200))]
    if "then" in case:
        replies.append(answer(json.dumps(case["then"])))

    with RawServer(say_in_turn(*replies)) as server:
        if "raises" in case:
            with pytest.raises(errors.UpstreamError) as caught:
                CALLS[case["action"]](client_of(server))
            assert type(caught.value).__name__ == case["raises"], case["why"]
            return
        read = CALLS[case["action"]](client_of(server))

    assert matches(msgspec.to_builtins(read), case["read"]), (case["why"], read)
    if "set_aside" in case:
        assert matches(msgspec.to_builtins(read.set_aside), case["set_aside"]), (case["why"], read.set_aside)


def matches(found: Any, expected: Any) -> bool:
    """Whether what was read has all that is expected: the named fields of objects, and lists row by row."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(found[name], value) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(found, list | tuple):
        return len(found) == len(expected) and all(map(matches, found, expected))
    return bool(found == expected)
