"""The pages that tell about the API: the documentation, the console, the OpenAPI description."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import (
    CustomerRequest,
    PageRequest,
    address_of,
    customers_only,
    personal_page,
    wants_part,
)
from accounts.security.fresh_sign_in import ask_again, is_fresh
from accounts.security.notices import tell_of_goods
from accounts.typed_forms import Form
from api.actions.params import ApiError, Params, read_params
from api.docs.console import Outcome, curl_of, digest_of, pretty, send
from api.docs.errors import FURTHER, OF_DOCUMENT
from api.docs.languages import LANGUAGES
from api.docs.openapi import describe
from api.docs.pages import action_guides, own_ids, webhook_message
from api.preferences import CALLS_PER_MINUTE
from api.registry import ACTIONS, Action
from api.test_mode.scenarios import LINK_WORDS, PHONES
from api.webhooks.events import EVENTS
from preferences.keeping import REQUEST_IDS_KEPT
from sms.merging import find_row
from sms.models import Project
from sms.pricing import number_price_micros
from upstream.reading.text import line

FIRST = "balance"
# What is delivered is opened here as it is on the page of the order: after a fresh sign-in.
SHOWS_GOODS = ("status",)
PAGE_OF_SERVICES = "20"


@require_safe
def openapi(request: HttpRequest) -> JsonResponse:
    """Serve the OpenAPI description; pages of other sites may read it."""
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
    return JsonResponse(describe(), headers=headers)


@personal_page
@require_safe
def guide(request: PageRequest) -> HttpResponse:
    """Show the documentation; a customer's has some of their own ids in the examples."""
    address = f"{settings.SITE_URL}/api/v2"
    chosen = request.GET.get("language")
    codes = [language.code for language in LANGUAGES]
    context = {
        "address": address,
        "guides": action_guides(address, own_ids(request.user)),
        "languages": LANGUAGES,
        "chosen": chosen if chosen in codes else codes[0],
        "errors": OF_DOCUMENT,
        "further_errors": FURTHER,
        "calls_per_minute": CALLS_PER_MINUTE.value,
        "calls_per_address": settings.API_CALLS_PER_MINUTE_PER_ADDRESS,
        "calls_at_once": settings.API_CALLS_AT_ONCE,
        "request_id_days": REQUEST_IDS_KEPT.value.days,
        "link_words": LINK_WORDS.items(),
        "phones": PHONES.items(),
        "test_balance": settings.API_TEST_BALANCE,
        "currency": settings.STORE_CURRENCY,
        "events": EVENTS,
        "message": webhook_message(),
    }
    return render(request, "api/docs/guide.html", context)


@customers_only
@require_http_methods(["GET", "HEAD", "POST"])
def console(request: CustomerRequest) -> HttpResponse:
    """Run an action as the signed-in customer and show what came of it."""
    sent = request.method == "POST"
    name = (request.POST if sent else request.GET).get("action", FIRST)
    action = ACTIONS.get(name, ACTIONS[FIRST])
    if sent and action.name in SHOWS_GOODS and not is_fresh(request):
        return ask_again(request)
    context: dict[str, Any] = {"actions": ACTIONS.values(), "action": action, "dry": request.POST.get("run") != "real"}
    values: Params = {}
    if sent:
        context |= _run(request, action, values)
    elif action.name == "services":
        values["limit"] = PAGE_OF_SERVICES
    context["form"] = _form(action, values)
    context["once"] = uuid.uuid4()
    template = "api/docs/console.html"
    response = render(request, f"{template}#result" if wants_part(request) else template, context)
    for header, value in getattr(context.get("outcome"), "headers", {}).items():
        response[header] = value
    return response


def _run(request: CustomerRequest, action: Action, values: Params) -> dict[str, Any]:
    """Send what the form holds, or ask first whether it is meant; `values` gets what was typed."""
    try:
        params = read_params(request)
    except ApiError as refusal:
        return {"outcome": Outcome(curl_of(action, {}), pretty({"error": str(refusal)}), 0, str(refusal))}
    names = [parameter.name for parameter in action.parameters]
    # A browser sends every line break as two characters.
    values |= {name: params[name].replace("\r\n", "\n") for name in names if params.get(name)}
    dry = action.name == "add" and params.get("run") != "real"
    mark = digest_of(action, values)
    if not action.reads and action.name != "add" and params.get("confirmed") != mark:
        return {"mark": mark, "price_micros": _price_micros(request, action, values)}
    asked = dict(values)
    if "request_id" in names and not dry and params.get("once"):
        asked.setdefault("request_id", params["once"])  # a button pressed twice buys once
    outcome = send(action, asked, user=request.user, address=address_of(request), dry_run=dry)
    if action.name in SHOWS_GOODS and '"accounts"' in outcome.text:
        tell_of_goods(request, asked.get("orders") or asked.get("order", ""))
    return {"outcome": outcome}


def _price_micros(request: CustomerRequest, action: Action, values: Params) -> int | None:
    """What the numbers cost that a purchase is about, where that can be told."""
    project_id, quantity = line(values.get("project_id", "")), line(values.get("quantity", "1"))
    if action.name != "add_sms" or not (project_id.isdecimal() and quantity.isdecimal()) or len(project_id) > 18:
        return None
    project = find_row(Project.objects.on_sale().select_related("country"), int(project_id))
    return None if project is None else number_price_micros(project, request.user) * int(quantity[:2])


def _form(action: Action, values: Params) -> forms.Form:
    """The action's parameters as fields; unbound, because it is the action that refuses, in its own words."""
    form = Form(initial=values, use_required_attribute=False, auto_id="console_%s")
    for parameter in action.parameters:
        lines = forms.Textarea(attrs={"rows": 4}) if parameter.name == "comments" else forms.TextInput()
        lines.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        form.fields[parameter.name] = forms.CharField(
            label=parameter.name, required=parameter.required, help_text=str(parameter.description), widget=lines
        )
    return form
