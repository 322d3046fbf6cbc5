"""The customer's own numbers: watch the codes arrive, cancel, replace, look back."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import (
    CustomerRequest,
    customers_only,
    is_looked_at,
    render_live,
    wants_part,
)
from accounts.encrypted_fields import as_stored
from accounts.paging import open_page
from accounts.templatetags.money import money
from orders.models import OPEN, Kind, Order
from orders.placing.refusals import OrderRefused, PriceChanged, RequestIdReused
from preferences.keeping import CODES_KEPT
from sms.merging import find_row
from sms.models import Number, Project
from sms.operations import can_be_replaced, cancel_number, drop_replacement_rule, replace_number, set_replacement_rule
from sms.pages.cards import cards_of, is_done
from sms.pages.number_forms import HistoryFilterForm, ReplacementRuleForm
from upstream.client import default_client
from upstream.errors import Unavailable
from upstream.limits.threads import waiting_threads
from wallet.operations import InsufficientFunds

RECENT = timedelta(days=1)
ASK_SECONDS = 5.0  # how long a page waits for what upstream says of a number
MAX_SHOWN = 50
NUMBERS_PER_PAGE = 25
# A page that is swapped in says a new code aloud once, and not again when something else changes.
NEWS_SECONDS = 10
PLACES = ("number__project__country", "number__project__site")
BESIDE = (*PLACES, "number__replacement_rule", "number__replaced_by")


@customers_only
@require_safe
def waiting(request: CustomerRequest) -> HttpResponse:
    """Show the customer's open and recent numbers; one request refreshes all of them.

    While nothing has changed it costs one query beside who asks: prices are looked up only for a page that is shown.
    """
    return _numbers_page(request)


def _numbers_page(request: CustomerRequest, wrong: ReplacementRuleForm | None = None) -> HttpResponse:
    """Show the numbers; with a form that could not be read in the place of its card's own."""
    now, hidden = timezone.now(), is_looked_at(request)
    in_use = _whole(request.headers.get("Number-In-Use", ""))  # static/js/numbers.js: whose card has the focus
    recent = Q(status__in=OPEN) | Q(created_at__gte=now - RECENT)
    orders = request.user.orders.filter(recent, kind=Kind.NUMBER).newest_first()
    numbers = [_with_order(order) for order in orders.select_related(*BESIDE)[:MAX_SHOWN]]
    cards = partial(cards_of, numbers, request.user, now, in_use=in_use, wrong=wrong)
    context = {
        # Looked up only for a page that is shown; the head of one with something wrong names it.
        "cards": cards() if wrong else cache(cards),
        "done": sum(is_done(number, now, in_use=in_use) for number in numbers),
        "moving": any(number.order.is_open for number in numbers),
        "news": None if hidden else _newest_code(numbers, now),
        "hidden": hidden,
        "still": "still" in request.GET,
    }
    state = [(_state(number, now, hidden), is_done(number, now, in_use=in_use)) for number in numbers]
    return render_live(request, "sms/waiting.html", "numbers", context, state=state, path=reverse("sms:waiting"))


def _with_order(order: Order) -> Number:
    number: Number = order.number
    number.order = order
    return number


def _state(number: Number, now: datetime, hidden: bool) -> tuple[Any, ...]:
    """Everything a card shows that can change while it is looked at."""
    # Who may not read a code is not given a digest of it either: they could try them all.
    told = () if hidden else (as_stored(number, "code"), as_stored(number, "content"))
    rule = getattr(number, "replacement_rule", None)
    return (
        number.order_id,
        number.order.status,
        number.order.refunded_micros,
        number.state,
        number.phone,
        *told,
        number.expires_at,
        number.cancel_requested_at,
        can_be_replaced(number, now),
        rule and (rule.left, rule.outcome, rule.next_at is None),
    )


def _newest_code(numbers: list[Number], now: datetime) -> Number | None:
    """The number whose code has just come: what a screen reader should say."""
    just_now = now - timedelta(seconds=NEWS_SECONDS)
    received = [number for number in numbers if number.received_at and number.received_at > just_now]
    return max(received, key=lambda number: number.received_at or number.created_at, default=None)


@customers_only
@require_safe
def history(request: CustomerRequest) -> HttpResponse:
    """List all numbers the customer ever had, with what came to them, and search them."""
    form = HistoryFilterForm(request.GET)
    # Orders are what has an index by customer.
    own = request.user.orders.filter(kind=Kind.NUMBER).select_related(*PLACES, "number__replaced_by").order_by("-id")
    page = open_page(form.narrow(own), request.GET, NUMBERS_PER_PAGE)
    page = dataclasses.replace(page, rows=[order.number for order in page])
    context = {
        "form": form,
        "page": page,
        "params": request.GET,
        "keep_days": CODES_KEPT.value.days,
        "hidden": is_looked_at(request),
    }
    return render(request, "sms/history.html#numbers" if wants_part(request) else "sms/history.html", context)


def _change(request: CustomerRequest, change: Callable[[], str]) -> HttpResponse:
    """Do something with a number and go back to all of them; a refusal is said there, in plain words."""
    try:
        messages.success(request, change())
    except Number.DoesNotExist:
        raise Http404 from None
    except PriceChanged as new:
        price = money(new.price_micros)
        messages.error(
            request, _("The price has changed: it is now %(price)s. The number was not replaced.") % {"price": price}
        )
    except RequestIdReused:
        messages.error(request, _("This button has already been used. The number was not replaced."))
    except OrderRefused as refusal:
        messages.error(request, str(refusal))
    except InsufficientFunds as short:
        text = _("You're %(amount)s short. The number was not replaced.")
        messages.error(request, text % {"amount": money(short.missing_micros)})
    return redirect("sms:waiting")


@customers_only
@require_POST
def cancel(request: CustomerRequest, order_id: int) -> HttpResponse:
    """Cancel one number."""

    def change() -> str:
        cancel_number(order_id, user=request.user)
        return _(
            "The number has been canceled. You get your money back as soon as it is certain that "
            "there was no charge for it."
        )

    return _change(request, change)


@customers_only
@require_POST
def replace(request: CustomerRequest, order_id: int) -> HttpResponse:
    """Replace one number with another one."""
    project_id, price = (_whole(request.POST.get(name, "")) for name in ("project", "shown_price_micros"))
    request_id = request.POST.get("request_id", "")[:64]
    if "\0" in request_id:  # no page sends that, and no database keeps it
        raise Http404
    project = find_row(Project.objects.select_related("country", "site"), project_id)
    if project is None:
        raise Http404

    def change() -> str:
        try:
            with waiting_threads.place():
                replace_number(
                    order_id,
                    user=request.user,
                    project=project,
                    shown_price_micros=price,
                    request_id=request_id,
                    client=default_client(timeout_seconds=ASK_SECONDS),
                )
        except Unavailable as error:
            raise OrderRefused(_("Numbers can't be replaced right now.")) from error
        return _("Another number is on its way. The old one has been refunded.")

    return _change(request, change)


@customers_only
@require_POST
def replacement_rule(request: CustomerRequest, order_id: int) -> HttpResponse:
    """Say, or take back, that one number is replaced by itself."""
    order = get_object_or_404(request.user.orders, pk=order_id, kind=Kind.NUMBER)
    form = ReplacementRuleForm(request.POST, order=order)
    if "drop" not in request.POST and not form.is_valid():
        return _numbers_page(request, form)

    def change() -> str:
        if "drop" in request.POST:
            drop_replacement_rule(order_id, user=request.user)
            return _("Automatic replacement is off.")
        set_replacement_rule(order_id, user=request.user, request=form.request())
        return _("Automatic replacement is on: if no code arrives, you get another number.")

    return _change(request, change)


def _whole(text: str) -> int:
    """Return what a hidden field says as a number; what nobody sent from the page is none of ours: 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
