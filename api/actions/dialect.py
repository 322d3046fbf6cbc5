"""How an answer is formatted for one key: habits of existing programs that contradict the document, off by default."""

from typing import Any

import msgspec
from django.http.response import HttpResponseBase

from accounts.models import ApiKey


def format_answer(answer: Any, key: ApiKey | None) -> Any:
    """Return the answer of an action as the key's switches want it; `services` formats its own while it writes it."""
    if key is None or isinstance(answer, (msgspec.Raw, HttpResponseBase)):
        return answer
    return _as_text(answer) if key.numbers_as_text else answer


def status_for(key: ApiKey | None, status: int) -> int:
    """Return the HTTP status of an error: 200, as the programs of this trade expect, unless the key wants another."""
    return status if key is not None and key.http_errors else 200


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [_as_text(inside) for inside in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
