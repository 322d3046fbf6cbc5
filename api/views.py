"""The door of the API: read the call, know the key, keep to its limits, carry out the action, answer in JSON.

Every answer is HTTP 200 with a JSON body, because most programs that speak this dialect read nothing else; a key may
ask for 4xx and 5xx with errors.
"""

from contextlib import ExitStack
from typing import Any

import msgspec
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.access import address_of
from accounts.encryption import CannotDecrypt
from accounts.keys.api_keys import AccountIsBlocked, AddressNotAllowed, InvalidApiKey, find_api_key
from accounts.models import ApiKey
from api.actions.calls import Call
from api.actions.closed import closed_for_now
from api.actions.dialect import format_answer, status_for
from api.actions.params import (
    ApiError,
    Params,
    read_params,
    read_query,
)
from api.limits import AGAIN_SECONDS, BACK_SOON, THROTTLED, TOO_OFTEN, count_call, place_for
from api.registry import changes, find_action
from preferences.doors import BACK_AFTER, WHOLE_SHOP
from upstream.reading.text import line

log = structlog.get_logger(__name__)
CANNOT_READ = "This can't be opened right now, it is not lost"


@csrf_exempt  # a key is sent with every call, and no cookie is ever read
@never_cache
def api_v2(request: HttpRequest) -> HttpResponseBase:
    """Answer one call of the API, version 2."""
    door = _Door(request)
    with translation.override("en"):  # programs compare the texts
        try:
            answer, status = door.answer(), 200
        except ApiError as refusal:
            answer, status = {"error": str(refusal)}, status_for(door.key, refusal.status)
        except (OperationalError, InterfaceError):  # the database is away, or was asked for too long
            log.exception("api_call_not_answered")
            door.headers = {**door.headers, "Retry-After": str(AGAIN_SECONDS)}
            answer, status = {"error": BACK_SOON}, status_for(door.key, 503)
        except CannotDecrypt:
            log.error("api_answer_cannot_be_decrypted")
            answer, status = {"error": CANNOT_READ}, status_for(door.key, 503)
        except Exception:
            log.exception("api_call_failed")
            answer, status = {"error": "Internal server error"}, status_for(door.key, 500)
    if isinstance(answer, HttpResponseBase):  # a long one, sent piece by piece
        response = answer
    else:
        body = msgspec.json.encode(answer)
        response = HttpResponse(body, content_type="application/json", status=status)
        response["Content-Length"] = str(len(body))  # or it would be sent in chunks
    for name, value in door.headers.items():
        response[name] = value
    # Django would report an error that the caller has been told, with the whole request, as one of ours.
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return response


class _Door:
    """One call on its way in; `key` is set once it is known, `headers` once the call is counted."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.key: ApiKey | None = None
        self.headers: dict[str, str] = {}

    def answer(self) -> Any:
        reading = self.request.method == "GET"
        if not reading and self.request.method != "POST":
            raise ApiError("Method not allowed", 405)
        params = read_query(self.request) if reading else read_params(self.request)
        address = address_of(self.request)
        key = self._let_in(params, address)
        if WHOLE_SHOP.is_closed:
            self.headers = {**self.headers, "Retry-After": f"{BACK_AFTER.value.total_seconds():.0f}"}
            raise closed_for_now(WHOLE_SHOP)
        if reading and not key.get_for_reads:
            raise ApiError("Method not allowed", 405)
        action = find_action(line(params.get("action", "")))
        if reading and not action.reads:
            raise ApiError("Method not allowed", 405)
        action.check_scope(key)
        call = Call(key.user, params, key=key, address=address)
        with ExitStack() as held:
            held.enter_context(place_for(key, waits=action.waits and not key.is_test))
            answer = format_answer(action.run(call), key)
            if isinstance(answer, HttpResponseBase):
                # A slow reader holds a thread until the last byte is sent, and so the place as well.
                answer._resource_closers.append(held.pop_all().close)  # type: ignore[attr-defined]  # Django's own list
            return answer

    def _let_in(self, params: Params, address: str | None) -> ApiKey:
        """Return the key and count the call; a wrong key counts for its address, so that guessing ends."""
        try:
            key = self.key = find_api_key(line(params.get("key", "")), address=address, changes=changes(params))
        except AccountIsBlocked as blocked:
            self._count(address)
            raise ApiError(f"This account is blocked. {blocked}".strip(), 403) from None
        except InvalidApiKey:
            self._count(address)
            raise ApiError("Invalid API key", 401) from None
        except AddressNotAllowed:
            self._count(address)
            raise ApiError("This key may not be used from this address", 403) from None
        self._count(address)
        return key

    def _count(self, address: str | None) -> None:
        allowance = count_call(self.key, address)
        if allowance is None:
            return
        self.headers = allowance.headers
        if allowance.refused:
            raise ApiError(TOO_OFTEN, THROTTLED)
