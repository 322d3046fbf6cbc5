"""Is anything wrong: how the shop is doing at this moment, part by part, as the probes and the status page know it."""

from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.templatetags.money import money
from orders.fulfilment.pauses import Gate, gate
from storefront.admin_home.lines import Survey
from storefront.models import Backup
from storefront.monitoring.backups import backup_is_too_old
from storefront.monitoring.health import heartbeat_age, heartbeat_holds, silent_queues, tasks_waiting
from support.models import Health
from support.status import measures
from support.status.words import duration
from upstream.client import default_client
from upstream.errors import UpstreamNotConfigured

log = structlog.get_logger(__name__)
OK, SLOW, DOWN = Health.OK.value, Health.SLOW.value, Health.DOWN.value
MANY_TASKS = 1_000


@dataclass(frozen=True)
class Part:
    """How a part of the shop is doing, in a sentence."""

    title: str
    health: str
    text: str
    link: str = ""

    @property
    def is_well(self) -> bool:
        return self.health == OK

    @property
    def variant(self) -> str:
        """The theme's word for the color of its label."""
        return {OK: "success", SLOW: "warning"}.get(self.health, "danger")

    @property
    def label(self) -> str:
        """How it is, in a word."""
        return str(Health(self.health).label)


def health_of_shop(survey: Survey, *, shows_balance: bool) -> list[Part]:
    """Return every part; about ten statements."""
    parts = [
        _forwarding(survey),
        _oldest(survey),
        _supplier(survey),
        _polling(survey),
        _sync(survey),
        _balance(survey) if shows_balance else None,
        _workers(),
        _backup(survey),
    ]
    return [part for part in parts if part is not None]


def _forwarding(survey: Survey) -> Part:
    link = reverse("admin:orders_forwardingpause_changelist")
    if survey.pauses:
        reasons = "; ".join(str(pause.get_reason_display()) for pause in survey.pauses)
        return Part(_("Forwarding"), DOWN, _("Paused: %(reasons)s") % {"reasons": reasons}, link)
    if gate() == Gate.PROBING:
        return Part(_("Forwarding"), SLOW, _("One order at a time, until the first is accepted after a pause."), link)
    if _limit_holds_back():
        words = _(
            "Orders wait because the limit of calls is used up: raise UPSTREAM_MAX_PER_SECOND (now %(per_second)d) or "
            "UPSTREAM_MAX_IN_FLIGHT (now %(in_flight)d) if the supplier allows more."
        )
        limits = {"per_second": settings.UPSTREAM_MAX_PER_SECOND, "in_flight": settings.UPSTREAM_MAX_IN_FLIGHT}
        return Part(_("Forwarding"), SLOW, words % limits, link)
    return Part(_("Forwarding"), OK, _("Paid orders are sent."), link)


def _limit_holds_back() -> bool:
    try:
        limiter = default_client().limiter
    except UpstreamNotConfigured:
        return False
    return limiter is not None and limiter.holds_back()


def _oldest(survey: Survey) -> Part:
    waits = measures.oldest_waits(survey.now)
    text = _("Waiting for %(time)s.") % {"time": duration(waits)} if waits else _("No order is waiting.")
    link = f"{reverse('admin:orders_order_changelist')}?status__exact=paid"
    return Part(_("Oldest waiting order"), measures.graded(waits, measures.WAITING), text, link)


def _supplier(survey: Survey) -> Part:
    silent = measures.provider_silent_since()
    if silent is None:
        return Part(_("Supplier"), OK, _("Answers."))
    seconds = (survey.now - silent).total_seconds()
    text = _("Hasn't answered for %(time)s: orders wait while one call at a time keeps trying.")
    health = DOWN if measures.graded(seconds, measures.OVERDUE) == DOWN else SLOW
    return Part(_("Supplier"), health, text % {"time": duration(seconds)})


def _polling(survey: Survey) -> Part:
    due = measures.next_question_due()
    late = 0.0 if due is None else max(0.0, (survey.now - due).total_seconds())
    text = _("%(time)s behind.") % {"time": duration(late)} if late >= measures.MINUTE else _("Up to date.")
    return Part(_("Updates of orders"), measures.graded(late, measures.OVERDUE), text)


def _sync(survey: Survey) -> Part:
    measure = measures.catalog_read(survey.now)
    link = reverse("admin:catalog_syncrun_changelist")
    if measure is None:
        return Part(_("Catalog sync"), SLOW, _("There was none yet."), link)
    text = _("%(time)s ago.") % {"time": duration(measure.figure["age"])}
    return Part(_("Catalog sync"), measure.health, text, link)


def _balance(survey: Survey) -> Part | None:
    outlook = survey.money
    if outlook is None or survey.balance is None:
        return None
    amounts = {
        "balance": money(outlook.balance_micros, settings.UPSTREAM_CURRENCY),
        "needed": money(outlook.reserved_micros, settings.UPSTREAM_CURRENCY),
    }
    text = _("%(balance)s, of which paid orders need %(needed)s.") % amounts
    if outlook.hours_left is not None:
        lasts: Any = ngettext("It lasts for %(hours)d hour.", "It lasts for %(hours)d hours.", outlook.hours_left) % {
            "hours": outlook.hours_left
        }
        text = f"{text} {lasts}"
    health = DOWN if outlook.available_micros < 0 else SLOW if survey.balance.low else OK
    return Part(_("Upstream balance"), health, text, reverse("admin:orders_upstreambalance_changelist"))


def _backup(survey: Survey) -> Part | None:
    """Nothing where no backup was ever begun: `manage.py doctor` says that."""
    newest = Backup.objects.first()
    if newest is None:
        return None
    title, good = _("Last backup"), Backup.newest_good()
    if good is None:
        return Part(title, DOWN, _("None has succeeded yet: %(why)s") % {"why": newest.error or "–"})
    age = (survey.now - good.started_at).total_seconds()
    words = {"time": duration(age), "size": filesizeformat(good.size_bytes or 0), "place": good.place}
    text = _("%(time)s ago, %(size)s, at %(place)s; read again and found whole.") % words
    if newest.error and newest.pk != good.pk:
        text = f"{text} {newest.error}"
    return Part(title, DOWN if age > backup_is_too_old() else OK, text)


def _workers() -> Part:
    title = _("Beat and workers")
    try:
        tasks = tasks_waiting()
    except Exception as error:  # whatever keeps it from answering: without it nothing is carried out
        log.warning("broker_away", error=str(error))  # for the log: it may name hosts
        return Part(title, DOWN, _("Redis can't be reached."))
    said = ngettext("%(count)d task waits.", "%(count)d tasks wait.", tasks) % {"count": tasks}
    age = heartbeat_age()
    if age is None:
        return Part(title, DOWN, _("No sign of them: are both running?"))
    if age > heartbeat_holds():
        seen = _("Last seen %(time)s ago.") % {"time": duration(age)}
        return Part(title, DOWN, f"{seen} {said}")
    if silent := silent_queues():
        missed = _("No sign of a worker for %(names)s.") % {"names": ", ".join(silent)}
        return Part(title, DOWN, f"{missed} {said}")
    running = _("Running.")
    return Part(title, SLOW if tasks > MANY_TASKS else OK, f"{running} {said}")
