"""Every component in every state, with invented data: what the style guide shows.

A component without an example fails tests/storefront/styleguide/test_examples.py, and so does an input that it does not
declare. Names of people and things in the examples are data and are not translated.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace as Shown
from typing import Any

from django.core.paginator import Paginator
from django.http import QueryDict
from django.utils.safestring import mark_safe

from catalog.browse.fact_filters import FactChoice, FactFilter
from storefront.styleguide import fields
from storefront.styleguide.states import Example

WHEN = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
LONG = "Instagram Followers | 100% Organic | Old Accounts | Worldwide | Start 0-1 Hour | 50K/Day | 365 Days Refill"


def _service(**changed: Any) -> Shown:
    usual = {
        "sold_out": False,
        "paused_because": "",
        "order_form": "link",
        "too_uncertain": False,
        "min_quantity": 100,
        "max_quantity": 10_000,
        "max_orderable": 10_000,
        "refill": False,
        "cancel": False,
        "rate_confirmed": True,
        "rate_per": 1000,
        "stock": None,
        "delivery": "link",
    }
    return Shown(**{**usual, **changed})


def _quality(**changed: Any) -> Shown:
    bars = [Shown(x=6 * day, y=36 - high, height=high) for day, high in enumerate((12, 20, 16, 30, 9, 14, 22, 18))]
    drawing = Shown(bars=bars, width=46, height=36, ground=35, bar=4, words="From 20 min to 1 h, lately 40 min")
    usual = {
        "start": "4 min",
        "start_most": "20 min",
        "done": "40 min",
        "done_most": "3 h",
        "completed": "96%",
        "not_completed": "3% in part, 1% refunded",
        "counted": "128 orders of the last 30 days",
        "sparkline": drawing,
        "speed": "Usually starts in 4 min and is done in 40 min.",
        "outcome": "96% completed.",
    }
    return Shown(**{**usual, **changed})


def _similar(**changed: Any) -> Shown:
    chips = [Shown(label="High quality"), Shown(label="30 days refill")]
    usual = {"url": "#", "name": "Followers", "chips": chips, "rate_micros": 1_250_000, "rate_per": 1000, "why": []}
    return Shown(**{**usual, **changed})


def _favorite(**changed: Any) -> dict[str, Any]:
    return {"pk": 7, "title": "Followers", "favorite_url": "#", "favorite": False, "sign_in_url": "", **changed}


def _row(**changed: Any) -> dict[str, Any]:
    chip = mark_safe('<span class="badge fact-chip">30 days refill</span>')
    usual = {"pk": 8, "url": "#", "title": "Followers", "facts": chip, "badges": "", "speed": "", "price": "$1.25"}
    return {**usual, "unit": "per 1,000", "action": "Order", "favorite_url": "#", **changed}


def _header(**changed: Any) -> dict[str, Any]:
    usual = {
        "signed_in": False,
        "is_staff": False,
        "email": "",
        "balance": "",
        "reader": "",
        "store_name": "Corner shop",
    }
    return {**usual, "path": "/catalog/", **changed}


def _tab(**changed: Any) -> dict[str, Any]:
    return {"url": "#", "label": "Instagram", "current": False, "count": "1,204", **changed}


_PLAIN, _REFUSED = fields.plain(), fields.refused()
_PAGES = Paginator(range(300), 100)
_PARAMS: dict[str, Any] = {"params": QueryDict("")}
_BAR = {"label": "Order and pay", "word": "Total", "total": "$12.50", "total_id": "example-total"}
_PROBLEM = Shown(text="Enter a whole number.", leads_to="example", mended_by="example", label="Quantity")
_CHOICE = FactChoice("us", "United States", 1204, "1,204", True)
_OTHER = FactChoice("lv", "Latvia", 18, "18", False)
_FILTER = FactFilter("example", "Country", "All countries", [_CHOICE, _OTHER])
_SOCIAL = {"address": "https://shop.example/order/1/", "title": "Followers", "store_name": "Corner shop"}
_ICONS = ("search", "wallet", "heart", "refill", "offline", "shield", "globe", "clock")
_STATUSES = (
    "new",
    "paid",
    "sending",
    "pending",
    "in_progress",
    "completed",
    "partial",
    "canceled",
    "refunded",
    "unknown",
)


def _state(name: str, inputs: Mapping[str, Any] | None = None, /, inside: str = "", **values: Any) -> Example:
    return Example(name, {**(inputs or {}), **values}, inside)


EXAMPLES: dict[str, list[Example]] = {
    "alert": [
        *(
            _state(level, level=level, text="Your order has been placed.")
            for level in ("info", "success", "warning", "error")
        ),
        _state("several texts", level="error", errors=["The price has changed.", "Your balance does not cover this."]),
    ],
    "badge": [
        _state("plain", label="New"),
        *(_state(tone, label="New", tone=tone) for tone in ("good", "busy", "warn", "bad")),
        _state("with an icon", label="Refill", tone="good", icon="refill"),
    ],
    "bar_total": [_state("with a total", word="Total", total="$12.50"), _state("nothing to pay yet")],
    "brand": [
        _state("the usual sign", inside="brand", logo=None, store_name="Corner shop"),
        _state(
            "the owner's logo",
            inside="brand",
            logo={"url": "/static/icons/favicon.svg", "width": 24, "height": 24},
            store_name="Corner shop",
        ),
    ],
    "breadcrumbs": [
        _state("one above", here="Followers", first_url="#", first_label="All services"),
        _state(
            "two above", here=LONG, first_url="#", first_label="All services", second_url="#", second_label="Social"
        ),
    ],
    "button": [
        *(
            _state(variant or "plain", label="Add money", variant=variant)
            for variant in ("", "primary", "quiet", "danger")
        ),
        *(_state(size, label="Add money", variant="primary", size=size) for size in ("small", "wide")),
        _state("a link with an icon", label="My orders", url="#", icon="receipt"),
    ],
    "card": [
        _state("with text and icon", title="Security", text="Where you are signed in.", url="#", icon="shield"),
        _state("the title alone", title="Privacy", url="#"),
    ],
    "category_tile": [
        _state("one", category=Shown(pk=1, title="Telegram", services_count=1, icon="plane")),
        _state("many", category=Shown(pk=1, title="Instagram", services_count=1_204, icon="camera")),
    ],
    "chips": [
        _state("links", links=[{"label": "Telegram", "url": "#"}, {"label": "Likes", "url": "#"}], label="Suggestions"),
        _state("filters", links=[{"label": "Refill", "url": "#"}], label="Filters", removes=True),
    ],
    "code": [
        _state("to copy", text="https://shop.example/api/v2", copy=True),
        _state("to read", text='{"error": "Order not found"}', copy=False),
    ],
    "confirm": [
        _state(
            "closed",
            label="Cancel",
            question="Cancel this order?",
            yes="Yes, cancel it",
            address="#",
            variant="danger",
            csrf_token="",
        )
    ],
    "copy_button": [_state("plain", text="123456"), _state("with its own word", text="123456", label="Copy all")],
    "corrected_search": [_state("mistyped", asked="instagrm", shown="instagram", url="#")],
    "empty_state": [
        _state(
            "with a way on",
            icon="receipt",
            title="No orders yet",
            text="They appear here.",
            action_url="#",
            action_label="All services",
        ),
        _state("nothing to do", icon="search", title="Nothing found", text="Try other words."),
    ],
    "error_summary": [
        _state("one problem", problems=[_PROBLEM]),
        _state(
            "several", problems=[_PROBLEM, Shown(text="The price has changed.", leads_to="", mended_by="", label="")]
        ),
    ],
    "facet_flag": [
        _state("open", inside="form", name="example-a", label="Refill", checked="", count="18"),
        _state("chosen", inside="form", name="example-b", label="Refill", checked=mark_safe(" checked"), count="1,204"),
    ],
    "facet_option": [_state("chosen", inside="select", value="us", label="United States", count="18", selected="")],
    "fact_chip": [_state("a fact", label="30 days refill")],
    "fact_filter": [
        _state(
            "one chosen",
            inside="form",
            name=_FILTER.name,
            legend=_FILTER.legend,
            everything=_FILTER.everything,
            options=mark_safe('<option value="us" selected>United States (1,204)</option>'),
        )
    ],
    "failed_request": [_state("hidden until a request fails")],
    "favorite_button": [
        _state("not a favorite", _favorite()),
        _state("a favorite", _favorite(pk=9, favorite=True)),
        _state("a visitor", _favorite(pk=10, sign_in_url="#")),
    ],
    "footer": [_state("English", store_name="Corner shop", language="en")],
    "form_errors": [_state("refused", form=_REFUSED), _state("said by the summary", form=_PLAIN)],
    "form_field": [
        *(
            _state(name, field=_PLAIN[name], inside="form")
            for name in ("text", "optional", "choice", "agreed", "lines")
        ),
        _state("with an error", field=_REFUSED["empty"], inside="form"),
        _state("a filter", field=_PLAIN["empty"], bare=True, inside="form"),
    ],
    "header": [
        _state("a visitor", _header()),
        _state("a customer", _header(signed_in=True, email="ann@example.com", balance="$100.00", reader="example")),
        _state(
            "staff", _header(signed_in=True, is_staff=True, email="sam@example.com", balance="$0.00", reader="example")
        ),
    ],
    "header_tab": [
        _state("here", inside="menu", url="/catalog/", label="Services", icon="grid", path="/catalog/7/"),
        _state("elsewhere", inside="menu", url="/orders/", label="My orders", icon="receipt", path="/catalog/"),
    ],
    "help_link": [
        _state("about an order", url="/help/new/", query="order", value=12),
        _state("about anything", url="/help/new/"),
    ],
    "icon": [*(_state(name, name=name) for name in _ICONS), _state("spoken", name="lock", label="Locked")],
    "long_pagination": [
        _state(
            "numbered",
            page=Shown(
                number=2,
                pages=9,
                previous=Shown(page=1, after="", before=""),
                following=Shown(page=3, after="", before=""),
            ),
            **_PARAMS,
        )
    ],
    "look_bar": [_state("on a visit", email="ann@example.com", until=WHEN, csrf_token="")],
    "messages": [_state("one", messages=["Your choice has been saved."])],
    "money": [
        _state("plain", micros=12_500_000),
        _state("less than a cent", micros=1_234),
        _state("received", micros=12_500_000, signed=True),
        _state("spent", micros=-12_500_000, signed=True),
        _state("taken off", micros=500_000, minus=True),
        _state("of another currency", micros=12_500_000, currency="EUR"),
    ],
    "page_facts": [
        _state("for programs alone", _SOCIAL, kind="product", image="https://shop.example/i.png", language="en")
    ],
    "page_tab": [
        _state("this page", inside="tabs", url="/a/", label="Keys", path="/a/"),
        _state("another", inside="tabs", url="/b/", label="Webhooks", path="/a/"),
    ],
    "pager": [
        _state("in the middle", previous_url="#", following_url="#", window=Shown(number=2, pages=9)),
        _state("the first", previous_url="", following_url="#", window=Shown(number=1, pages=None)),
        _state("far in", previous_url="#", following_url="#", window=Shown(number=None, pages=None)),
    ],
    "pagination": [
        _state("in the middle", page=_PAGES.page(2), **_PARAMS),
        _state("the last", page=_PAGES.page(3), **_PARAMS),
    ],
    "palette_button": [_state("plain")],
    "price": [
        _state("per thousand", micros=1_250_000, per=1000),
        _state("each", micros=250_000, per=1),
        _state("the lowest of several", micros=250_000, per=1, lowest=True),
    ],
    "price_line": [
        _state(
            "risen", history=Shown(line="0,30 60,30 60,12 120,12", width=120, height=40, words="From $1.00 to $1.25")
        )
    ],
    "product_points": [
        _state(
            "with a format",
            points=[
                Shown(title="What you get", text="Accounts", code=""),
                Shown(title="Format", text="", code="login:password"),
            ],
            full_title=LONG,
        )
    ],
    "progress": [
        _state("under way", done=400, total=1_000, label="Delivered"),
        _state("done", done=1_000, total=1_000, label="Delivered"),
    ],
    "quality_line": [_state("known", quality=_quality())],
    "quantity_range": [
        _state("a range", inside="phrase", minimum=100, maximum=10_000),
        _state("one alone", inside="phrase", minimum=1, maximum=1),
    ],
    "ring": [
        *(
            _state(f"{percent}% left", seconds=seconds, left=left, whole=1_200, percent=percent)
            for seconds, left, percent in ((1_200, "20:00", 100), (545, "9:05", 45), (35, "0:35", 3))
        )
    ],
    "row_speed": [_state("known", inside="speed", time="40 min", percent="96%")],
    "search_box": [
        _state("empty", inside="form", value="", placeholder="What do you need?"),
        _state(
            "typed", inside="form", value="instagram followers", placeholder="What do you need?", label="Search again"
        ),
    ],
    "service_badges": [
        _state("sold out", service=_service(sold_out=True)),
        _state("paused", service=_service(paused_because="price")),
        _state("not available yet", service=_service(order_form="unknown")),
        _state("price being checked", service=_service(too_uncertain=True)),
        _state("too few left", service=_service(max_orderable=10)),
        _state("new, with everything", service=_service(refill=True, cancel=True), new=True),
    ],
    "service_facts": [
        _state("a link", service=_service(refill=True), rate_micros=1_250_000),
        _state(
            "goods", service=_service(rate_per=1, stock=1_204, delivery="vault", min_quantity=1), rate_micros=990_000
        ),
        _state(
            "nothing certain",
            service=_service(rate_confirmed=False, sold_out=True, stock=0, delivery="email"),
            rate_micros=0,
        ),
    ],
    "service_quality": [
        _state("all known", quality=_quality()),
        _state("the end alone", quality=_quality(start="", done="", not_completed="", sparkline=None)),
    ],
    "service_row": [
        _state("a customer", _row(), inside="services"),
        _state("a visitor, a long title", _row(pk=11, title=LONG, sign_in_url="#"), inside="services"),
    ],
    "shortcuts_button": [_state("plain")],
    "similar_service": [
        _state("plain", service=_similar(), inside="similar"),
        _state("with a reason", service=_similar(why=["Faster"]), inside="similar"),
    ],
    "sparkline": [_state("eight days", sparkline=_quality().sparkline)],
    "stat": [_state("a figure", label="Services", value="12,480")],
    "status_badge": [
        _state(status, status=status, label=status.replace("_", " ").capitalize()) for status in _STATUSES
    ],
    "tab": [
        _state("chosen", _tab(current=True), inside="tabs"),
        _state("another", _tab(label="Telegram"), inside="tabs"),
        _state("without a figure", _tab(count=None), inside="tabs"),
    ],
    "time": [
        _state("a moment", iso=WHEN.isoformat(), style="exact", text="Mar 14, 2026, 09:26"),
        _state("in words", iso=WHEN.isoformat(), style="words", text="12 min ago", exact="Mar 14, 2026, 09:26"),
        _state("a day", iso="2026-03-14", text="Mar 14, 2026"),
    ],
    "timeline_item": [
        _state("a step", line=Shown(label="Paid", at=WHEN, status="", detail=""), inside="timeline"),
        _state(
            "with its status",
            line=Shown(label="Completed", at=WHEN, status="completed", detail="1,000 delivered"),
            inside="timeline",
        ),
    ],
    "total_bar": [
        _state("with a total", _BAR),
        _state("a link", label="Sign in to order", url="#"),
        _state("nothing to pay yet", label="Order and pay"),
    ],
}
