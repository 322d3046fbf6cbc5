"""The API as an OpenAPI 3.1 description, written from the registry.

One address, one method: what is asked for stands in the body, told apart by `action`.
Source: https://spec.openapis.org/oas/v3.1.0, sections "Discriminator Object" and "Media Type Object".
"""

from typing import Any

from django.conf import settings
from django.utils import translation

from api.docs.errors import FURTHER, OF_DOCUMENT
from api.docs.samples import EXAMPLES
from api.docs.schemas import ANSWERS, ERROR, ERROR_OBJECT, PARAMETERS, Schema
from api.registry import ACTIONS, Action, Parameter
from preferences.face import STORE_NAME

VERSION = "2.0"
LIMIT_HEADERS = {
    "X-RateLimit-Limit": "Calls in a minute.",
    "X-RateLimit-Remaining": "Calls left of these.",
    "X-RateLimit-Reset": "Seconds until there are all of them again.",
    "Retry-After": "Only with a refused call: seconds to wait.",
}


def describe() -> dict[str, Any]:
    """Return the description; its texts are English, as the API's are."""
    with translation.override("en"):
        return {
            "openapi": "3.1.0",
            "info": {
                "title": f"{STORE_NAME.value} API",
                "version": VERSION,
                "description": "Every answer is HTTP 200 with JSON unless the key asks for 4xx; a refused call is "
                'answered with {"error": text} and has changed nothing.',
            },
            "servers": [{"url": settings.SITE_URL}],
            "paths": {"/api/v2": {"post": _operation()}},
            "components": {"schemas": _schemas()},
        }


def _operation() -> dict[str, Any]:
    request = {
        "oneOf": [{"$ref": f"#/components/schemas/{request_name(action.name)}"} for action in ACTIONS.values()],
        "discriminator": {
            "propertyName": "action",
            "mapping": {name: f"#/components/schemas/{request_name(name)}" for name in ACTIONS},
        },
    }
    content = {"schema": request, "examples": _requests()}
    return {
        "operationId": "call",
        "summary": "Call an action",
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": content, "application/json": content},
        },
        "responses": {
            "200": {
                "description": "What the action answers, or why it did not.",
                "headers": {name: _header(text) for name, text in LIMIT_HEADERS.items()},
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [*(_answer(name) for name in ACTIONS), ERROR]},
                        "examples": _answers(),
                    }
                },
            }
        },
    }


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "integer", "minimum": 0}}


def _schemas() -> dict[str, Schema]:
    requests = {request_name(action.name): _request(action) for action in ACTIONS.values()}
    answers = {_answer_name(name): ANSWERS[name] for name in ACTIONS}
    texts = [refusal.text for refusal in (*OF_DOCUMENT, *FURTHER)]
    return {**requests, **answers, "Error": {**ERROR_OBJECT, "description": "One of: " + "; ".join(texts) + "."}}


def _request(action: Action) -> Schema:
    fields: dict[str, Schema] = {
        "key": {"type": "string", "description": "Your API key."},
        "action": {"const": action.name},
        **{parameter.name: _parameter(parameter) for parameter in action.parameters},
    }
    required = ["key", "action", *(parameter.name for parameter in action.parameters if parameter.required)]
    scopes = ", ".join(scope.removeprefix("may_") for scope in action.scopes)
    return {
        "type": "object",
        "title": str(action.title),
        "description": f"{action.description} Scope: {scopes or 'none, any key'}.",
        "properties": fields,
        "required": required,
    }


def _parameter(parameter: Parameter) -> Schema:
    return {"description": str(parameter.description), **PARAMETERS[parameter.name]}


def request_name(action: str) -> str:
    """Return the name of an action's request among the schemas."""
    return _in_one_word(action) + "Request"


def _answer_name(action: str) -> str:
    return _in_one_word(action) + "Answer"


def _answer(action: str) -> Schema:
    return {"$ref": f"#/components/schemas/{_answer_name(action)}"}


def _in_one_word(action: str) -> str:
    return "".join(part.capitalize() for part in action.split("_"))


def _requests() -> dict[str, Any]:
    return {
        example.name: {"value": {"key": "YOUR_API_KEY", "action": example.action, **_typed(example.params)}}
        for example in EXAMPLES
    }


def _typed(params: dict[str, str]) -> dict[str, Any]:
    """The values as the schemas have them: numbers as numbers."""
    return {name: int(text) if PARAMETERS[name].get("type") == "integer" else text for name, text in params.items()}


def _answers() -> dict[str, Any]:
    return {example.name: {"value": example.answer} for example in EXAMPLES}
