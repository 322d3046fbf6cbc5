"""What happened to an order, for staff: the customer's timeline and ours, in words, with the amounts as money.

The words are made of what the events keep (`data` for the customer, `evidence` for staff). What no sentence and no
figure here says stands in the folded details, as it is stored; nothing is left out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.moments import write_moment
from accounts.templatetags.money import money
from orders.admin.widgets import UPSTREAM
from orders.lifecycle.attention import text_for, text_of_hold
from orders.models import HoldReason, Order, OrderEvent
from orders.models.attempts import text_of_cause
from orders.timeline import Line, timeline_of

Code = OrderEvent.Code
Evidence = dict[str, Any]
# As people put them; "charge" was written by a supplier's answer in its own words once, and in micros else.
_FIGURES: dict[str, Promise] = {
    "upstream_id": gettext_lazy("Upstream order"),
    "newest_upstream_id": gettext_lazy("Newest upstream order before it was sent"),
    "word": gettext_lazy("Upstream status"),
    "remains": gettext_lazy("Remains"),
    "start_count": gettext_lazy("Start count"),
    "charge": gettext_lazy("Upstream charge"),
    "charge_before": gettext_lazy("Upstream charge before"),
    "charge_upstream_micros": gettext_lazy("Upstream charge"),
    "expected_upstream_micros": gettext_lazy("Expected upstream cost"),
    "expected_cost_upstream_micros": gettext_lazy("Expected upstream cost"),
    "cost_upstream_micros": gettext_lazy("Upstream cost now"),
    "balance_before_upstream_micros": gettext_lazy("Upstream balance before"),
    "balance_after_upstream_micros": gettext_lazy("Upstream balance after"),
    "looked_at": gettext_lazy("Looked at"),
}
_OF_CUSTOMERS = ("start_count", "remains")  # figures of `data`; the others are in its sentences


@dataclass(frozen=True)
class Happening:
    """One line: what the customer reads, and what staff is told besides; `stored` is all of it, as it is kept."""

    at: datetime
    label: str
    detail: str
    by: str = ""
    for_staff: bool = False  # its customer does not see it
    sentences: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    stored: SafeString | str = ""


def happenings_of(order: Order) -> list[Happening]:
    """Return what happened to an order and what its customer asked for, the oldest first; two queries."""
    events = order.events.select_related("actor")
    asked = timeline_of((), order.requests.all())
    found = [*map(_happening, events), *(Happening(line.at, line.label, line.detail) for line in asked)]
    return sorted(found, key=lambda one: one.at)


def _happening(event: OrderEvent) -> Happening:
    line = Line.of(event)
    return Happening(
        at=event.created_at,
        label=line.label,
        detail=_("By the customer, before it was sent.") if event.data.get("by") == "customer" else line.detail,
        by=str(event.actor) if event.actor else "",
        for_staff=event.code in OrderEvent.STAFF_ONLY,
        sentences=tuple(filter(None, _sentences(event.evidence))),
        figures=tuple(_figures(event.data, event.evidence)),
        stored=_stored({**({"data": event.data} if event.data else {}), **event.evidence}),
    )


def _sentences(evidence: Evidence) -> Iterable[str]:
    for say in (_flag, _hold, _answer, _attempt, _window, _staff, _difference):
        yield from say(evidence)


def _flag(evidence: Evidence) -> Iterable[str]:
    """What needed a human, and what the flags said that were taken away."""
    if "code" in evidence:
        yield text_for(evidence["code"], evidence.get("details", {}))
    for flag in evidence.get("seen", ()):
        yield _("Reviewed: %(what)s") % {"what": text_for(flag["code"], flag["details"])}
    if "means" in evidence:
        yield _("Staff said what the status word means: %(meaning)s.") % {"meaning": evidence["means"]}


def _hold(evidence: Evidence) -> Iterable[str]:
    """Why it was held back, and why it goes on."""
    details = evidence.get("details", {})
    if evidence.get("reason") in HoldReason.values and details:
        yield text_of_hold(evidence["reason"], details)
    elif evidence.get("reason") in HoldReason.values:
        yield str(HoldReason(evidence["reason"]).label)
    by_staff = evidence.get("released") == HoldReason.STAFF
    for key, words in (
        (
            "released",
            _("Released. %(why)s") if by_staff else _("It goes on by itself. It was held because: %(why)s"),
        ),
        ("sent_anyway", _("Sent all the same, though: %(why)s")),
    ):
        if key in evidence:
            yield words % {"why": text_of_hold(evidence[key], details)}


def _answer(evidence: Evidence) -> Iterable[str]:
    """What the supplier said, or what was in the way."""
    if "reason" in evidence and evidence["reason"] not in HoldReason.values:
        yield str(evidence["reason"])
    if "cause" in evidence:
        yield text_of_cause(evidence["cause"], evidence.get("detail", ""))
    if "found_again" in evidence:
        yield _("Upstream knows order %(id)s again.") % {"id": evidence["found_again"]}
    if "times" in evidence and "since" in evidence:
        words = ngettext(
            "It had answered “Order not found” %(times)s time, from %(since)s to %(last)s.",
            "It had answered “Order not found” %(times)s times, from %(since)s to %(last)s.",
            evidence["times"],
        )
        moments = {name: _moment(evidence.get(name)) for name in ("since", "last")}
        yield words % {"times": evidence["times"], **moments}


def _attempt(evidence: Evidence) -> Iterable[str]:
    """What became of an attempt whose answer never came."""
    if "proved_absent" in evidence:
        yield _("The attempt of %(at)s was proved not to have been placed.") % {
            "at": _moment(evidence["proved_absent"])
        }
    if "not_bought" in evidence:
        yield _("Closed by staff as not bought: %(how)s") % {"how": evidence["not_bought"]}
    if "window_closed_by_hand_at" in evidence:
        yield _("Staff closed the ID range at %(id)s.") % {"id": evidence["window_closed_by_hand_at"]}


def _window(evidence: Evidence) -> Iterable[str]:
    """What was looked through for it."""
    window = evidence.get("window")
    if not window:
        return
    first, last = ("?" if window.get(name) is None else window[name] for name in ("first", "last"))
    asked = evidence.get("asked") or 0
    words = ngettext(
        "Upstream IDs %(first)s–%(last)s were possible; %(asked)s that isn't our order's was asked about.",
        "Upstream IDs %(first)s–%(last)s were possible; %(asked)s that aren't our orders' were asked about.",
        asked,
    )
    yield words % {"first": first, "last": last, "asked": asked}
    candidates = [str(one["id"]) for one in evidence.get("candidates", ())]
    fitting = [str(one["id"]) for one in evidence.get("candidates", ()) if one.get("matches")]
    if not candidates:
        yield _("None of them was unknown to us.")
    elif fitting:
        yield _("Unknown to us and fitting: %(ids)s.") % {"ids": ", ".join(fitting)}
    else:
        yield _("Unknown to us, but not fitting: %(ids)s.") % {"ids": ", ".join(candidates)}
    if rivals := evidence.get("rivals"):
        numbers = ", ".join(f"#{number}" for number in rivals)
        yield _("Other lost orders may be in this range: %(orders)s.") % {"orders": numbers}


def _staff(evidence: Evidence) -> Iterable[str]:
    """What a person decided, and how they knew."""
    if "listed" in evidence:
        yield _("Staff listed the supplier's text “%(text)s” as a refusal.") % {"text": evidence["listed"]}
    if "forced" in evidence:
        yield _("Decided against what we found: %(what)s.") % {"what": evidence["forced"]}
    if "note" in evidence:
        yield _("“%(note)s”") % {"note": evidence["note"]}


def _difference(evidence: Evidence) -> Iterable[str]:
    """How a charge differs from what was expected."""
    if evidence.get("small_loss") == "habit":
        yield _("A small loss, and not the first one of this service.")
    elif "small_loss" in evidence:
        yield _("A small loss: noted, nothing was done.")


def _figures(data: dict[str, Any], evidence: Evidence) -> Iterable[tuple[str, str]]:
    shown = {name: data[name] for name in _OF_CUSTOMERS if name in data}
    for name, value in {**shown, **evidence}.items():
        if name in _FIGURES and value not in (None, ""):
            yield str(_FIGURES[name]), _figure(name, value)
    before = evidence.get("before")
    if isinstance(before, dict) and before.get("charge") is not None:
        yield str(_FIGURES["charge_before"]), money(before["charge"], UPSTREAM)


def _figure(name: str, value: Any) -> str:
    if name.endswith("_micros") or (name == "charge" and isinstance(value, int)):
        return money(value, UPSTREAM)
    if name.startswith("charge"):
        return f"{value} {UPSTREAM}"
    if name == "looked_at":
        return _moment(value)
    return number_format(value, force_grouping=True) if isinstance(value, int) else str(value)


def _moment(text: Any) -> str:
    """Return a stored moment as people read it; what is none as it is."""
    found = parse_datetime(text) if isinstance(text, str) else None
    return str(text) if found is None else write_moment(found)


def _stored(everything: dict[str, Any]) -> str | SafeString:
    # The encoder escapes nothing for HTML: format_html does.
    text = json.dumps(everything, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html("{}", text) if everything else ""
