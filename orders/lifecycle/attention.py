"""What a human should look at: raising and clearing the flags of orders, and what each says."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.transitions import Change, WrongStatus, write_events
from orders.models import AttentionFlag, HoldReason, LostAttempt, Order, OrderEvent, Status
from orders.models.attempts import text_of_cause
from orders.notices.admin_notices import tell_of_flag
from upstream.money import text_from_micros

Flag = AttentionFlag.Code
FLAG_OF_HOLD = {
    HoldReason.LOSS: Flag.SOLD_AT_A_LOSS,
    HoldReason.SERVICE_PAUSED: Flag.SERVICE_PAUSED,
    HoldReason.STAFF: Flag.HELD_BY_STAFF,
}
# These only say why the order is held: they have no meaning once it is not.
OF_HOLDS = tuple(FLAG_OF_HOLD.values())
# These only say why the order waits: they have no meaning once it goes on, or ends.
OF_WAITING = (Flag.PERHAPS_PLACED, *OF_HOLDS)
IDS = "upstream_ids"  # in the details of a flag that may be about several orders upstream


def raise_flag(order_id: int, code: str, *, now: datetime, **details: Any) -> bool:
    """Put the order into the queue of those that need a human; return whether that says anything new.

    A flag of this code that is open already takes the new details; upstream ids are added to those it names.
    Other flags stay as they are. Part of the caller's transaction; its event is the caller's.
    """
    still_open = AttentionFlag.objects.open().filter(order_id=order_id, code=code)
    flag = still_open.first()
    if flag is None:
        try:
            with transaction.atomic():
                AttentionFlag.objects.create(order_id=order_id, code=code, details=details, raised_at=now)
        except IntegrityError:
            flag = still_open.first()  # a colleague's worker has raised it at this very moment
        else:
            return True
    if flag is None:
        return False  # and staff has cleared it since
    if IDS in details:
        details[IDS] = list(dict.fromkeys([*flag.details.get(IDS, ()), *details[IDS]]))
    if flag.details == details:
        return False
    return bool(still_open.filter(pk=flag.pk).update(details=details))


def clear_flags(
    order_ids: Collection[int], codes: Collection[str] | None = None, *, now: datetime, actor: User | None = None
) -> list[AttentionFlag]:
    """Clear the open flags of these orders, of these codes only where some are named; return those that were open.

    Part of the caller's transaction; its event is the caller's.
    """
    still_open = AttentionFlag.objects.open().filter(order_id__in=order_ids)
    flags = list(still_open if codes is None else still_open.filter(code__in=codes))
    if flags:
        still_open.filter(pk__in=[flag.pk for flag in flags]).update(cleared_at=now, cleared_by=actor)
    return flags


def clear_attention(order_id: int, *, actor: User, now: datetime) -> None:
    """Take a settled order off the queue; its timeline keeps, for staff, what the flags said and who cleared them.

    What was refunded without an answer is not looked for any more then.
    Raises WrongStatus when nothing is flagged, or when the order is unknown or held: those have to be decided. Raises
    NotYourOwnMoney: what a referrer earns waits for what is flagged.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        refuse_own_order(actor, order)
        # What holds an order back, or makes it wait, is decided, not taken off the list.
        waits = order.status == Status.UNKNOWN or (order.status == Status.PAID and order.held_because)
        flags = [] if waits else clear_flags([order_id], now=now, actor=actor)
        if not flags:
            raise WrongStatus(f"order {order_id} has nothing to clear")
        sought = LostAttempt.objects.filter(order=order, state=LostAttempt.State.SOUGHT)
        sought.update(state=LostAttempt.State.REFUNDED)
        change = Change(order_id, evidence={"seen": evidence_of(flags)})
        write_events([change], code=OrderEvent.Code.ATTENTION, status=order.status, now=now, actor=actor)


def tell_of(order: Order, code: str, details: dict[str, Any], *, now: datetime) -> None:
    """Mail the admins what a flag says, once for each order, code and details."""
    episode = f"{code} {json.dumps(details, sort_keys=True)}"
    with translation.override(settings.LANGUAGE_CODE):
        tell_of_flag(order, text_for(code, details), episode, now=now)


def evidence_of(flags: Collection[AttentionFlag]) -> list[dict[str, Any]]:
    """Return flags as the timeline keeps them."""
    return [{"code": flag.code, "details": flag.details} for flag in flags]


def attention_of(order: Order) -> str:
    """Return what the order's open flags say, in the language of whoever reads it; "" when it goes by itself."""
    flags = getattr(order, "open_flags", None)  # prefetched by a list
    return "; ".join(map(text_of, order.flags.open() if flags is None else flags))


def text_of(flag: AttentionFlag) -> str:
    """Return what a flag says, in the language of whoever reads it."""
    return text_for(flag.code, flag.details)


def text_for(code: str, details: dict[str, Any]) -> str:
    """Return what a flag of this code with these details says, in the language of whoever reads it."""
    words = {name: value for name, value in details.items() if isinstance(value, str | int)}
    if IDS in details:
        words["ids"] = ", ".join(map(str, details[IDS]))
    if code == Flag.PERHAPS_PLACED:
        words["cause"] = text_of_cause(details["cause"], details.get("detail", ""))
    if code == Flag.NOT_FOUND:
        words["id"] = details["upstream_id"]
    if "before" in details:
        words["before"] = str(Status(details["before"]).label)
    if code in OF_HOLDS:
        return text_of_hold(code, details)
    text = {
        Flag.PERHAPS_PLACED: _("Perhaps placed upstream: %(cause)s"),
        Flag.REFUSED: _("Refused upstream: %(answer)s"),
        Flag.LATE_ANSWER: _("Upstream placed order %(ids)s after this order was settled"),
        Flag.BOUGHT_TWICE: _("Upstream has order %(ids)s too: it had been placed before it was sent again"),
        Flag.PERHAPS_TWICE: _("Perhaps bought twice: upstream has %(ids)s"),
        Flag.NOT_FOUND: _("Upstream answers “Order not found” for order %(id)s."),
        Flag.UNKNOWN_WORD: _("Unknown upstream status word: %(word)s"),
        Flag.NO_REMAINS: _("Partial, but upstream does not say how much remains"),
        Flag.WENT_BACK: _("Upstream went from %(before)s to %(word)s"),
        Flag.CHANGED_LATE: _("Changed after it was %(before)s: %(word)s"),
        Flag.MORE_THAN_ASKED: _("Upstream answered with more than was asked for: %(ids)s"),
        Flag.OVERCHARGED: _("Upstream charged more than the customer paid"),
        Flag.CHARGE_KEPT: _("The order is canceled and refunded, but upstream says %(word)s and charged %(charge)s"),
        Flag.UNDERCHARGED: _("Upstream charged far less than expected"),
        Flag.NO_GOODS: _(
            "Upstream has delivered, but its status brought no goods. Look into the mailbox of your account upstream, "
            "and have the category “%(category)s” delivered by email"
        ),
    }[Flag(code)]
    if "other_unit_than" in details:
        text = _("%(what)s: the charge fits another rate unit than %(unit)s") % {
            "what": text,
            "unit": details["other_unit_than"],
        }
    if "times" in details:
        text = _("%(what)s by little, but %(times)s times lately") % {"what": text, "times": details["times"]}
    return text % words


def text_of_hold(reason: str, details: dict[str, Any]) -> str:
    """Return why an order is held, in the language of whoever reads it; "" for one that is not."""
    if reason == HoldReason.SERVICE_PAUSED:
        return _("The service is paused: %(because)s") % {"because": details["because"]}
    if reason == HoldReason.LOSS:
        return _("Sold at a loss: it costs %(cost)s %(currency)s now, the customer paid %(paid)s") % {
            "cost": text_from_micros(details["cost_micros"]),
            "paid": text_from_micros(details["paid_micros"]),
            "currency": settings.STORE_CURRENCY,
        }
    if reason == HoldReason.STAFF:
        return _("Held back by staff: %(note)s") % {"note": details["note"]}
    return ""
