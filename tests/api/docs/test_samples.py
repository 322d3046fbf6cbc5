"""The documentation's answers are what the code answers, and every error text it lists can be had."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from schemathesis.specs.openapi.definitions import OPENAPI_31

import api
from accounts.keys.api_keys import change_api_key, create_api_key
from accounts.models import ApiKey, User
from api.docs.errors import FURTHER, OF_DOCUMENT
from api.docs.openapi import describe
from api.docs.samples import ANSWERS, EXAMPLES, Example, answers, examples_of
from api.docs.schemas import PARAMETERS
from api.registry import ACTIONS
from sms.models import Project
from tests.api import world
from tests.api.conftest import Call
from wallet.models import Wallet

REFUSALS = (*OF_DOCUMENT, *FURTHER)


@pytest.fixture
def shop(ann: User, settings: Any) -> None:
    """The document's shop."""
    settings.DEFAULT_MARKUP_PERCENT = 0
    world.build_world(ann)


# --- Answers --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_answers_when_the_code_is_asked_again_then_they_are_those_of_the_page(
    request: pytest.FixtureRequest, shop: None, call: Call, ann: User, client_upstream: Any
) -> None:
    row = next(row for row in client_upstream.sms_projects(country="us") if row.name == "OpenAI / ChatGPT")
    Project.objects.filter(pk=world.PROJECT).update(upstream_id=row.project_id)

    got = {example.name: _ask(example, call, ann) for example in EXAMPLES}

    if request.config.getoption("--write-answers", default=False):
        ANSWERS.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n")
        answers.cache_clear()
    assert got == answers(), "the code answers otherwise than the page says: look, then `pytest --write-answers` this"


def _ask(example: Example, call: Call, customer: User) -> Any:
    """Ask and put the document's ids and phone in the place of what differs from run to run."""
    answer = call(example.action, **example.params)
    if example.action == "add":
        assert answer == {"order": world.newest_order(customer).pk}
        return {"order": world.ORDER}
    if example.action == "add_sms":
        [number] = answer["orders"]
        return {"orders": [{**number, "order": world.NUMBER, "phone": "+1234567890"}]}
    return answer


def test_examples_when_an_action_is_added_then_it_has_one_and_its_parameters_are_real() -> None:
    assert {example.action for example in EXAMPLES} == set(ACTIONS)
    for example in EXAMPLES:
        action = ACTIONS[example.action]
        known = {parameter.name for parameter in action.parameters}
        assert set(example.params) <= known
        assert set(example.own) <= set(example.params)
    for action in ACTIONS.values():
        needed = {parameter.name for parameter in action.parameters if parameter.required}
        assert all(needed <= set(example.params) for example in examples_of(action.name))


# --- OpenAPI --------------------------------------------------------------------------------------------------------
def test_openapi_when_it_is_held_against_the_specification_then_it_is_valid() -> None:
    jsonschema_rs.validator_for(OPENAPI_31).validate(describe())


def test_openapi_when_it_is_read_over_http_then_any_program_may(client: Client) -> None:
    answer = client.get("/api/v2/openapi.json")

    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == json.loads(json.dumps(describe()))


def test_openapi_when_the_registry_has_an_action_then_request_and_answer_are_described() -> None:
    described = describe()

    body = described["paths"]["/api/v2"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["discriminator"]["mapping"]) == set(ACTIONS)
    for action in ACTIONS.values():
        name = body["discriminator"]["mapping"][action.name].rpartition("/")[2]
        fields = described["components"]["schemas"][name]["properties"]
        assert set(fields) == {"key", "action", *(parameter.name for parameter in action.parameters)}
        assert set(fields) - {"key", "action"} <= set(PARAMETERS)


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": describe()["components"]}


def test_openapi_when_the_examples_are_held_against_it_then_they_fit_their_action_alone() -> None:
    for example in EXAMPLES:
        word = "".join(part.capitalize() for part in example.action.split("_"))
        jsonschema_rs.validator_for(_schema(f"{word}Answer")).validate(example.answer)
    operation = describe()["paths"]["/api/v2"]["post"]
    for media in operation["requestBody"]["content"].values():
        validator = jsonschema_rs.validator_for({**media["schema"], "components": describe()["components"]})
        for example in media["examples"].values():
            validator.validate(example["value"])


# --- Errors ---------------------------------------------------------------------------------------------------------
def _literals() -> Iterator[str]:
    """Every text that the code may refuse with: what stands in ApiError(…), and the constants named there."""
    for path in Path(api.__file__).parent.rglob("*.py"):
        if "docs" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ApiError":
                yield from (text for argument in node.args for text in _texts(argument))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                named = node.targets[0].id in NAMED and isinstance(node.value, ast.Constant)
                yield from _texts(node.value) if named else ()


NAMED = {
    *("ORDER_NOT_FOUND", "INSUFFICIENT_BALANCE", "SERVICE_NOT_FOUND", "REFILL_NOT_FOUND", "NO_CANCEL", "NO_REFILL"),
    *("UNREADABLE", "TOO_LARGE", "TOO_OFTEN", "TOO_MANY_AT_ONCE"),
}


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):  # 100 in the place of what is filled in
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "100" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def test_errors_when_the_code_has_a_text_then_the_page_lists_it() -> None:
    listed = [
        re.compile(re.sub(r"…|64|100", r"\\w+", re.escape(refusal.text).replace("\\ ", " ")) + "$")
        for refusal in REFUSALS
    ]

    found = [text for text in _literals() if not any(pattern.match(text) for pattern in listed)]

    assert found == []
    assert len(set(_literals())) > 20  # it does read them


CALLS: dict[str, dict[str, Any]] = {
    "Invalid API key": {"key": "wrong"},
    "Invalid action": {"action": "everything"},
    "Service ID is required": {"action": "add"},
    "Order not found": {"action": "status", "order": "1"},
    "Service not found": {"action": "inventory", "service": "9999"},
    "Quantity is required": {"action": "add", "service": 1},
    "Invalid quantity": {"action": "add", "service": 1, "quantity": "many"},
    "Quantity must be between … and …": {"action": "add", "service": 1, "quantity": 5, "link": "https://x.com/a"},
    "Not enough stock": {"action": "add", "service": 23501, "quantity": 43},
    "Link is required": {"action": "add", "service": 1, "quantity": 100},
    "Invalid link": {"action": "add", "service": 1, "quantity": 100, "link": "me"},
    "Comments are required": {"action": "add", "service": 2, "quantity": 10},
    "Quantity does not match the number of comments": {"action": "add", "service": 2, "quantity": 10, "comments": "a"},
    "Order ID is required": {"action": "cancel"},
    "Order cannot be refilled": {"action": "refill", "order": 23501},
    "Refill not found": {"action": "refill_status", "refill": 5},
    "Project ID is required": {"action": "add_sms"},
    "Project not found": {"action": "add_sms", "project_id": 5},
    "Phone number is not available": {"action": "add_sms", "project_id": 65, "phone": "+79"},
    "Too many …, 100 at most": {"action": "status", "orders": ",".join(map(str, range(101)))},
    "request_id is longer than 64 characters": {
        "action": "add",
        "service": 1,
        "quantity": 100,
        "link": "https://x.com/a",
        "request_id": "x" * 65,
    },
}


@pytest.mark.django_db
@pytest.mark.parametrize("text", CALLS)
def test_errors_when_the_page_lists_one_then_the_call_gets_it_and_its_status(
    shop: None, key: str, call: Call, text: str
) -> None:
    asked = {"key": key, "action": "balance", **CALLS[text]}
    refusal = next(refusal for refusal in REFUSALS if refusal.text == text)

    told = Client().post("/api/v2", asked)
    change_api_key(ApiKey.objects.get().pk, http_errors=True)
    with_status = Client().post("/api/v2", asked)

    assert told.status_code == 200
    assert re.fullmatch(re.escape(text).replace("…", ".+"), told.json()["error"])
    assert told.json() == with_status.json()
    expected = 200 if text == "Invalid API key" else refusal.http_status  # a wrong key has no switches
    assert with_status.status_code == expected


@pytest.mark.django_db
def test_errors_when_money_scope_or_limit_are_missing_then_the_texts_are_the_pages(
    shop: None, ann: User, settings: Any
) -> None:
    texts = {refusal.text for refusal in REFUSALS}
    add = {"action": "add", "service": 1, "quantity": 100, "link": "https://x.com/a"}

    def ask(action: dict[str, Any], **powers: Any) -> str:
        return (
            Client().post("/api/v2", {"key": create_api_key(user=ann, name="k", **powers)[1], **action}).json()["error"]
        )

    got = [
        ask({"action": "services"}, may_read=False),
        ask(add, may_order=False),
        ask({"action": "add_sms", "project_id": 65}, may_sms=False),
        ask(add, daily_limit_micros=1),
        ask({"action": "balance"}, allowed_addresses="10.9.8.7"),
    ]
    Wallet.objects.filter(user=ann).update(balance_micros=0)
    got.append(ask(add))
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 1
    # The address that was not allowed counts as one, as a wrong key does.
    got.append(Client().post("/api/v2", {"key": "live_guessed", **add}).json()["error"])

    assert len(set(got)) == 7
    assert set(got) <= texts
