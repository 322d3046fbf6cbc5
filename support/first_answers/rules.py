"""The rules there are: what each is called, what it says until the owner words it, what its text may name.

What a rule looks at is in `checks.py`; whether it answers at all, after how many hours, and in whose words, is its row.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps as all_apps
from django.db import DEFAULT_DB_ALIAS
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Rule:
    """A rule as it ships. `names` are the placeholders its text may have; `hours` is None where no length matters."""

    code: str
    title: Promise
    about: Promise
    text: Promise
    names: tuple[str, ...] = ()
    hours: int | None = None
    hours_help: Promise | str = ""
    active: bool = True


_RULES = (
    Rule(
        "in_usual_time",
        _("Still within the usual time"),
        _(
            "“It takes too long” about an order that is younger than nine in ten orders of its service were when they "
            "were done. The ticket comes back by itself when that time is over."
        ),
        _(
            "Nine in ten orders of this service are done within {most}, counted from the payment. Yours should be "
            "done by {by}. You don't need to do anything: if it isn't, this question comes back to us by itself."
        ),
        names=("most", "by", "placed"),
    ),
    Rule(
        "start_in_usual_time",
        _("Not started, still within the usual time"),
        _(
            "“It hasn't started” about an order on which work may still begin as early as on nine in ten orders of its "
            "service. The ticket comes back by itself when that time is over."
        ),
        _(
            "On nine in ten orders of this service work begins within {most}, counted from the payment. Yours should "
            "start by {by}. You don't need to do anything: if it doesn't, this question comes back to us by itself."
        ),
        names=("most", "by", "placed"),
    ),
    Rule(
        "stalled",
        _("Stalled"),
        _(
            "An order far beyond the time of nine in ten, or beyond it with nothing delivered. The ticket waits for "
            "staff with all that is known, and a message to the supplier is prepared."
        ),
        _(
            "Your order is taking longer than it should. Somebody from our team is looking into it with everything "
            "we know about it; the answer comes here."
        ),
        names=("order", "passed"),
        hours=72,
        hours_help=_("For services without measured times: an order is stalled when it is older than this."),
    ),
    Rule(
        "asked_already",
        _("Asked already"),
        _("The same request for the same order waits for an answer, or was answered a short while ago."),
        _("You have asked for this before, on {asked}. {outcome}"),
        names=("asked", "outcome", "order"),
        hours=24,
        hours_help=_("So long after an answer, the same request is told of that answer."),
    ),
    Rule(
        "refill_not_offered",
        _("No refill for this service"),
        _("A refill, or a word about a dropped count, for a service that is sold without refill."),
        _("This service is sold without a refill, so we can't top the number up. Its page says so, too."),
        names=("order",),
    ),
    Rule(
        "refill_too_late",
        _("The time for a refill is over"),
        _("A refill, or a word about a dropped count, after the days that the service's title promises."),
        _("This service is refilled for {days} after the order is done. Yours was done on {done}; that time is over."),
        names=("days", "done", "ended", "order"),
    ),
    Rule(
        "refill_cool_down",
        _("Too early for a refill"),
        _("A refill, or a word about a dropped count, shortly after the order or the last refill was done."),
        _(
            "Numbers move for a while after an order or a refill is done, so we look at them once they have settled. "
            "You don't need to ask again: this question comes back to us by itself on {until}."
        ),
        names=("until", "order"),
        hours=24,
        hours_help=_("Counted from the end of the order or of its last refill."),
    ),
    Rule(
        "cancel_not_offered",
        _("This service can't be canceled"),
        _("A cancellation of an order that has been sent, of a service that can't be canceled."),
        _("This service can't be canceled once an order is on its way. {estimate}"),
        names=("estimate", "order"),
    ),
    Rule(
        "cancel_in_usual_time",
        _("Cancellation within the usual time"),
        _(
            "A cancellation that the service allows, of an order that is still within its usual time: it waits until "
            "that is over. Off at first, because whoever sells with cancellation has promised it."
        ),
        _(
            "Nine in ten orders of this service are done within {most}, and yours should be done by {by}. If it "
            "isn't, we take up your request then; you don't need to ask again."
        ),
        names=("most", "by", "placed"),
        active=False,
    ),
    Rule(
        "partial_refunded",
        _("Partly delivered, refunded already"),
        _("“Only a part was delivered” about an order whose rest has gone back to the customer's balance."),
        _(
            "{done} of {quantity} were delivered. For the rest {amount} went back to your balance on {refunded}; you "
            "can use it for another order."
        ),
        names=("done", "quantity", "amount", "refunded", "order"),
    ),
    Rule(
        "payment_awaited",
        _("The payment is not confirmed yet"),
        _("A payment that has not arrived, or that its way to pay is still confirming."),
        _("{awaited} The money is added to your balance by itself as soon as that has happened."),
        names=("awaited", "amount", "reference"),
        hours=24,
        hours_help=_("If the payment is still not there after so long, the ticket comes back."),
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _RULES}


def keep_rules(using: str = DEFAULT_DB_ALIAS, apps: Any = all_apps, **_rest: Any) -> None:
    """Give every rule that ships its row, after each `migrate`; rows that are there keep what the owner chose."""
    try:
        rows = apps.get_model("support", "FirstAnswerRule")._default_manager.using(using)
    except LookupError:
        return  # migrated to before there were rules
    known = set(rows.values_list("code", flat=True))
    missing = [rule for rule in _RULES if rule.code not in known]
    rows.bulk_create(
        (rows.model(code=rule.code, active=rule.active, hours=rule.hours) for rule in missing), ignore_conflicts=True
    )
