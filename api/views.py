"""The one address of the API: read the body, know the caller, carry out the action, answer in JSON.

Every answer is HTTP 200 with a JSON body, because the programs that speak this dialect read nothing else.
"""

from typing import Any

import msgspec
import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.api_keys import InvalidApiKey, find_api_key
from api import actions, sms_actions
from api.params import ApiError, read_params

log = structlog.get_logger(__name__)

ACTIONS: dict[str, actions.Action] = {
    "categories": actions.categories,
    "services": actions.services,
    "inventory": actions.inventory,
    "add": actions.add,
    "status": actions.status,
    "balance": actions.balance,
    "sms_projects": sms_actions.sms_projects,
    "sms_countries": sms_actions.sms_countries,
    "add_sms": sms_actions.add_sms,
    "sms_code": sms_actions.sms_code,
    "sms_status": sms_actions.sms_status,
}


@csrf_exempt  # a key is sent with every call, and no cookie is ever read
@never_cache
def api_v2(request: HttpRequest) -> HttpResponse:
    """Answer one call of the API, version 2."""
    with translation.override("en"):  # programs compare the texts
        try:
            answer = _answer(request)
        except ApiError as refusal:
            answer = {"error": str(refusal)}
        except Exception:
            log.exception("api_call_failed")
            answer = {"error": "Internal server error"}
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


def _answer(request: HttpRequest) -> Any:
    if request.method != "POST":
        raise ApiError("Method not allowed")
    params = read_params(request)
    try:
        user = find_api_key(params.get("key", "").strip(), address=None).user
    except InvalidApiKey:
        raise ApiError("Invalid API key") from None
    action = ACTIONS.get(params.get("action", "").strip())
    if action is None:
        raise ApiError("Invalid action")
    return action(user, params)
