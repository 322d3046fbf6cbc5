"""A reseller's program: Ann's key and the calls it makes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.keys.api_keys import create_api_key
from accounts.models import User

Call = Callable[..., Any]


@pytest.fixture
def key(ann: User) -> str:
    """A key of Ann's."""
    return create_api_key(user=ann, name="robot")[1]


@pytest.fixture
def call(key: str) -> Call:
    """Call an action with Ann's key and return the decoded answer: `call("status", order=5)`."""

    def send(action: str, **params: Any) -> Any:
        answer = Client(enforce_csrf_checks=True).post("/api/v2", {"key": key, "action": action, **params})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        return json.loads(answer.getvalue())  # of a long one, which comes in pieces, as well

    return send


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-answers", action="store_true", help="keep the API's answers for the documentation")
    parser.addoption("--fuzz-requests", type=int, default=0, help="so many calls for each of the API's fuzzers")
