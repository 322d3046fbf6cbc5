"""Whatever is sent to the API, the answer is HTTP 200 and JSON: an object, or an array where the documentation has one.

`--fuzz-requests 10000` sends so many, at random; without it each fuzzer sends a hundred, the same every time.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from api.docs.errors import FURTHER, OF_DOCUMENT
from api.docs.schemas import PARAMETERS
from api.registry import ACTIONS
from tests.api import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
IN_THE_SUITE = 100
ARRAYS = {"sms_projects", "sms_countries", "refill", "refill_status", "cancel"}
IDS = ["1", "2", "23501", "23502", "23503", "23504", "12345", "12346", "65", "66", "701", "23501,23502,1"]


@pytest.fixture
def shop(ann: User, settings: Any) -> None:
    """The document's shop, which counts no calls; upstream does not answer."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    settings.API_CALLS_PER_MINUTE = settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 0
    world.build_world(ann)


@pytest.fixture
def keys(ann: User, key: str) -> list[str]:
    """Ann's keys: a plain one, one for the test mode, one with every switch, and one that opens nothing."""
    switches = {"bare_services": True, "numbers_as_text": True, "get_for_reads": True}
    return [
        key,
        create_api_key(user=ann, name="test mode", is_test=True)[1],
        create_api_key(user=ann, name="switches", **switches)[1],
        "wrong",
    ]


@pytest.fixture
def often(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Decorate a fuzzer to be called as often as the command line says."""
    asked = request.config.getoption("--fuzz-requests", default=0)
    return settings(
        max_examples=asked or IN_THE_SUITE,
        derandomize=not asked,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def check(response: Any, action: str | None = None) -> Any:
    """Fail unless the answer is what every answer is; return it."""
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    body = b"".join(response.streaming_content) if response.streaming else response.content
    answer = json.loads(body)
    assert isinstance(answer, dict) or (isinstance(answer, list) and action in ARRAYS | {"services"})
    if isinstance(answer, dict) and "error" in answer:
        assert list(answer) == ["error"]
        assert answer["error"] != "Internal server error"
    return answer


# --- Bodies of every kind -------------------------------------------------------------------------------------------
CONTENT_TYPES = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nothing",
    "text/html",
    "",
    "a/b/c;;=",
]
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(IDS)
nested = st.recursive(leaf, lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside), max_leaves=20)
parts = st.lists(
    st.sampled_from(["{", "}", "[", "]", '"key":', '"action":"add"', ",", "1e999", "\\ud800", "\0", "NaN"])
)
raw = st.one_of(
    st.binary(max_size=300),
    nested.map(lambda value: json.dumps(value).encode()),
    parts.map(lambda each: "".join(each).encode("utf-8", "surrogatepass")),
    st.text(max_size=200).map(lambda text: f"key={text}&action=add&quantity={text}".encode("utf-8", "surrogatepass")),
    st.binary(max_size=100).map(
        lambda inside: b'--x\r\nContent-Disposition: form-data; name="action"\r\n\r\n' + inside + b"\r\n--x--"
    ),
    st.integers(min_value=0, max_value=50_000).map(lambda deep: b'{"action":' + b"[" * deep),
)


def test_door_when_a_body_is_anything_at_all_then_the_answer_is_json(often: Callable[[Any], Any]) -> None:
    client = Client(enforce_csrf_checks=True)

    @often
    @given(body=raw, content_type=st.sampled_from(CONTENT_TYPES), path=st.sampled_from(["/api/v2", "/api/v2/"]))
    def shoot(body: bytes, content_type: str, path: str) -> None:
        check(client.generic("POST", path, body, content_type=content_type))

    shoot()


# --- Values of every kind -------------------------------------------------------------------------------------------
names = st.sampled_from([*PARAMETERS, "lang", "runs"]) | st.text(min_size=1, max_size=8)
odd = st.sampled_from(
    ["", " ", "-1", "0", "9" * 18, "9" * 30, "1e5", "٣", "1_0", "NaN", "undefined", "\ud800", "\0", "é" * 70]
)
values = st.one_of(st.sampled_from(IDS), odd, st.text(max_size=30), st.sampled_from(["https://x.com/a", "us", "a\nb"]))
calls = st.dictionaries(names, values, max_size=6)
actions = st.sampled_from([*ACTIONS]) | st.text(max_size=8)


FORM = "application/x-www-form-urlencoded"
SENDERS: dict[str, Callable[[Client, dict[str, str]], Any]] = {
    "form": lambda client, asked: client.generic("POST", "/api/v2", urlencode(asked), content_type=FORM),
    "multipart": lambda client, asked: client.post("/api/v2", asked),
    "get": lambda client, asked: client.get("/api/v2", asked),
}


def test_actions_when_values_are_anything_at_all_then_the_answer_is_json(
    often: Callable[[Any], Any], keys: list[str]
) -> None:
    client = Client(enforce_csrf_checks=True)

    @often
    @given(
        key=st.sampled_from(keys),
        action=actions,
        params=calls,
        way=st.sampled_from([*SENDERS, "json"]),
        inside=st.dictionaries(names, nested, max_size=2),
    )
    def shoot(key: str, action: str, params: dict[str, str], way: str, inside: dict[str, Any]) -> None:
        asked = {**params, "key": key, "action": action}
        if way == "json":
            body = json.dumps({**inside, **asked})
            response = client.generic("POST", "/api/v2", body, content_type="application/json")
        else:
            assume(not any("\ud800" <= letter <= "\udfff" for text in [*asked, *asked.values()] for letter in text))
            response = SENDERS[way](client, asked)
        check(response, action)

    shoot()


# --- What the OpenAPI description promises --------------------------------------------------------------------------
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_openapi_when_calls_are_made_from_it_then_answers_are_as_described(
    often: Callable[[Any], Any], keys: list[str], mode: schemathesis.GenerationMode
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v2/openapi.json", get_wsgi_application())
    operation = schema["/api/v2"]["POST"]
    texts = {refusal.text for refusal in (*OF_DOCUMENT, *FURTHER)}

    @often
    @given(
        case=operation.as_strategy(generation_mode=mode),
        key=st.sampled_from(keys[:2]),
        ours=st.none() | st.sampled_from(IDS),
    )
    def shoot(case: schemathesis.Case, key: str, ours: str | None) -> None:
        if isinstance(case.body, dict):
            case.body["key"] = key
            for name in ("order", "service", "project_id", "orders") if ours else ():
                if name in case.body:
                    case.body[name] = ours
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        answer = response.json()
        if isinstance(answer, dict) and isinstance(answer.get("error"), str) and "100" not in answer["error"]:
            assert answer["error"] in texts | {
                "Quantity must be between 10 and 1000",
                "Quantity must be between 1 and 10",
            }

    shoot()
