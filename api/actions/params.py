"""Reading what a client of the API sent: form, multipart or JSON, all of it turned into plain text parameters."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, RawPostDataException, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

Params = dict[str, str]
UNREADABLE = "Request cannot be read"
TOO_LARGE = "Request is too large"
TOO_LONG = 18  # digits that surely fit a database id
BROKEN = (
    BadRequest,
    SuspiciousOperation,  # too many fields
    MultiPartParserError,
    UnreadablePostError,
    RawPostDataException,
    ValueError,  # not JSON, not UTF-8
    RecursionError,  # JSON nested thousands deep
)


class ApiError(Exception):
    """The call is answered with {"error": text}; a refused call has changed nothing.

    `status` is the HTTP status for the keys that want one; all others get 200.
    """

    def __init__(self, text: str, status: int = 400) -> None:
        self.status = status
        super().__init__(text)


def read_params(request: HttpRequest) -> Params:
    """Return the parameters of the body; what is in the address is ignored, because addresses end up in logs.

    Raises ApiError for a body that is broken, too large, or holds characters that no text has.
    """
    if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        # Django counts no files: a giant one would be written to the disk first.
        raise ApiError(TOO_LARGE, 413)
    try:
        if request.content_type == "application/json":
            params = _from_json(request.body)
        else:
            params = {name: str(value) for name, value in request.POST.items()}
        return _checked(params)
    except RequestDataTooBig:
        raise ApiError(TOO_LARGE, 413) from None
    except BROKEN:
        raise ApiError(UNREADABLE) from None


def read_query(request: HttpRequest) -> Params:
    """Return the parameters in the address, for keys that read by GET. Raises ApiError like `read_params`."""
    try:
        return _checked({name: str(value) for name, value in request.GET.items()})
    except BROKEN:
        raise ApiError(UNREADABLE) from None


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < TOO_LONG else 0


def _checked(params: Params) -> Params:
    for value in params.values():
        value.encode()  # raises ValueError for half a character, which JSON can spell
    if any("\0" in value for value in params.values()):
        raise ValueError("a character that no text has")
    return params


def whole_number(text: str) -> int | None:
    """Return the whole number a parameter spells, None for anything else; int() would also take "1_000" and "٣"."""
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > TOO_LONG:
        return None
    return int(text)


def _from_json(body: bytes) -> Params:
    # Numbers stay the text they were: nothing here needs arithmetic, and no amount may pass through a float.
    values = json.loads(body, parse_float=str, parse_int=str)
    if not isinstance(values, dict):
        raise ApiError(UNREADABLE)
    return {name: _text(name, value) for name, value in values.items() if value is not None}


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ("\n" if name == "comments" else ",").join(value)
    return ""  # true, false and objects mean nothing to any parameter
