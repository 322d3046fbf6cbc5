"""Gauges of orders, numbers and the supplier."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from orders.accounting.report import sold_by_day
from orders.fulfilment.pauses import Gate, gate
from orders.models import OPEN, UPSTREAM_OPEN, AttentionFlag, ForwardingPause, LostAttempt, Order, Status
from sms.models import Number
from storefront.admin_home.figures import part_of_day
from storefront.admin_home.lines import Survey
from storefront.metrics.facts import MICROS, Facts, Gauge, Values, by, one
from support.status import measures
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured

# Each has an index of its own of the few rows that are meant; one list of all would read the table.
_COUNTED_APART = (
    Q(status=Status.PAID),
    Q(status=Status.SENDING),
    Q(status=Status.UNKNOWN),
    Q(status__in=UPSTREAM_OPEN, next_poll_at__isnull=False),
)


def _orders(now: datetime) -> dict[str, Values]:
    counts: dict[str, float] = {}
    for meant in _COUNTED_APART:
        counts |= _counted(Order.objects.filter(meant), "status")
    due = measures.next_question_due()
    lag = 0.0 if due is None else max((now - due).total_seconds(), 0.0)
    return {
        "shop_orders": by("status", counts, also=OPEN),
        "shop_order_oldest_waiting_seconds": one(measures.oldest_waits(now)),
        "shop_order_polling_lag_seconds": one(lag),
        "shop_order_flags": by("code", _counted(AttentionFlag.objects.open(), "code"), also=AttentionFlag.Code.values),
        "shop_lost_attempts": by(
            "state", _counted(LostAttempt.objects.unsettled(), "state"), also=LostAttempt.UNSETTLED
        ),
    }


def _forwarding(now: datetime) -> dict[str, Values]:
    paused = {pause.reason: 1.0 for pause in Survey(now).pauses}
    return {
        "shop_forwarding_state": by("state", {gate().value: 1.0}, also=[state.value for state in Gate]),
        "shop_forwarding_paused": by("reason", paused, also=ForwardingPause.Reason.values),
    }


def _supplier(now: datetime) -> dict[str, Values]:
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        return {}
    if limiter is None:
        return {}
    down = limiter.down()
    return {
        "shop_supplier_silent_seconds": one(0.0 if down is None else (now - down.since).total_seconds()),
        "shop_supplier_calls_under_way": one(limiter.under_way()),
        "shop_supplier_limit_per_second": one(settings.UPSTREAM_MAX_PER_SECOND),
        "shop_supplier_limit_under_way": one(settings.UPSTREAM_MAX_IN_FLIGHT),
        "shop_supplier_limit_holds_back": one(float(limiter.holds_back())),
    }


def _money(now: datetime) -> dict[str, Values]:
    survey, theirs, ours = Survey(now), settings.UPSTREAM_CURRENCY, settings.STORE_CURRENCY
    today = part_of_day(now)
    line = sold_by_day(today).get(today.first)
    found: dict[str, Values] = {
        "shop_sales_today": [({"currency": ours}, line.sales / MICROS if line else 0.0)],
        "shop_margin_today": [({"currency": ours}, line.margin / MICROS if line else 0.0)],
    }
    if survey.money is not None and survey.balance is not None:
        found["shop_supplier_balance"] = [({"currency": theirs}, survey.money.balance_micros / MICROS)]
        found["shop_supplier_balance_reserved"] = [({"currency": theirs}, survey.money.reserved_micros / MICROS)]
        found["shop_supplier_balance_low"] = one(float(survey.balance.low))
        if survey.money.hours_left is not None:
            found["shop_supplier_balance_hours"] = one(survey.money.hours_left)
    return found


def _numbers(now: datetime) -> dict[str, Values]:
    found: dict[str, Values] = {"shop_numbers_open": one(Number.objects.still_open().count())}
    half = measures.codes_received(now).figure.get("half")
    if half is not None:
        found["shop_code_wait_seconds"] = one(float(half))
    return found


def _counted(rows: QuerySet[Any], column: str) -> dict[str, float]:
    return dict(rows.order_by().values_list(column).annotate(count=Count("pk")))


FACTS = (
    Facts(
        "orders",
        (
            Gauge("shop_orders", "Open orders by status.", ("status",)),
            Gauge("shop_order_oldest_waiting_seconds", "Age of the paid order that is sent next; 0 without any."),
            Gauge("shop_order_polling_lag_seconds", "How long ago the supplier should have been asked about an order."),
            Gauge("shop_order_flags", "Orders that need a human, by the reason; one may have several.", ("code",)),
            Gauge("shop_lost_attempts", "Sendings of which nobody knows whether the supplier has them.", ("state",)),
        ),
        _orders,
    ),
    Facts(
        "forwarding",
        (
            Gauge("shop_forwarding_state", "1 for how paid orders go out: open, probing or closed.", ("state",)),
            Gauge("shop_forwarding_paused", "1 for each reason why no order is sent.", ("reason",)),
        ),
        _forwarding,
    ),
    Facts(
        "supplier",
        (
            Gauge("shop_supplier_silent_seconds", "For how long the supplier has not answered; 0 while it does."),
            Gauge("shop_supplier_calls_under_way", "Calls of the supplier under way now, of all processes."),
            Gauge("shop_supplier_limit_per_second", "UPSTREAM_MAX_PER_SECOND."),
            Gauge("shop_supplier_limit_under_way", "UPSTREAM_MAX_IN_FLIGHT."),
            Gauge("shop_supplier_limit_holds_back", "1 if purchases waited for these limits in the last two minutes."),
        ),
        _supplier,
    ),
    Facts(
        "money",
        (
            Gauge("shop_sales_today", "Sales since midnight.", ("currency",)),
            Gauge("shop_margin_today", "What is left of today's sales after refunds and costs.", ("currency",)),
            Gauge("shop_supplier_balance", "What the account at the supplier holds.", ("currency",)),
            Gauge("shop_supplier_balance_reserved", "What paid orders need of the supplier's account.", ("currency",)),
            Gauge("shop_supplier_balance_low", "1 while that account lasts for too short a time."),
            Gauge("shop_supplier_balance_hours", "For how many hours it lasts at the pace of the last three days."),
        ),
        _money,
        kept_seconds=60.0,
    ),
    Facts(
        "numbers",
        (
            Gauge("shop_numbers_open", "Numbers that wait for their code, or to be had."),
            Gauge("shop_code_wait_seconds", "Within how many seconds half of the codes of the last hours came."),
        ),
        _numbers,
        kept_seconds=30.0,
    ),
)
