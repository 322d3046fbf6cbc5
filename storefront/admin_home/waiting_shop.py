"""What waits for a human about money, the catalog and the shop itself."""

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.models import Category, SyncRun
from orders.models import ContractDrift
from storefront.admin_home.lines import Found, Kind, Line, Survey, longest_waiting
from storefront.monitoring.alerts import books_wrong_since
from wallet.models import MoneyRequest, TopUp

FAILED = (SyncRun.Status.FAILED, SyncRun.Status.REJECTED)


def payments(survey: Survey) -> Found:
    """Payments that do not fit, or are to be confirmed by hand, with the reason."""
    columns = ("pk", "reference", "attention", "created_at", "pay_micros", "user_id")
    rows, total = longest_waiting(TopUp.objects.for_a_human(), "created_at", *columns)
    lines = [
        Line(
            what=f"{reference}: {attention}",
            link=reverse("admin:wallet_topup_change", args=[pk]),
            since=since,
            micros=micros,
            not_for=(user,),
        )
        for pk, reference, attention, since, micros, user in rows
    ]
    return Found(lines, total)


def manual_moves(survey: Survey) -> Found:
    """Moves of money that wait for a second person, who is neither the first one nor the customer."""
    columns = ("pk", "kind", "amount_micros", "note", "created_at", "asked_by_id", "user_id")
    rows, total = longest_waiting(MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING), "created_at", *columns)
    lines = [
        Line(
            what=f"{MoneyRequest.Kind(kind).label}: {note}",
            link=reverse("admin:wallet_moneyrequest_change", args=[pk]),
            since=since,
            micros=abs(micros),
            not_for=(asked_by, user),
        )
        for pk, kind, micros, note, since, asked_by, user in rows
    ]
    return Found(lines, total)


def low_balance(survey: Survey) -> Found:
    """The upstream account, once it lasts for too short a time; at stake is what customers wait for."""
    latest, outlook = survey.balance, survey.money
    if latest is None or not latest.low or outlook is None:
        return Found()
    if outlook.available_micros < 0 or outlook.hours_left is None:
        what = _("The upstream balance doesn't cover the orders that are paid")
    else:
        what = ngettext(
            "The upstream balance lasts for %(hours)d hour", "The upstream balance lasts for %(hours)d hours",
            outlook.hours_left,
        ) % {"hours": outlook.hours_left}  # fmt: skip
    link = reverse("admin:orders_upstreambalance_changelist")
    return Found([Line(what, link, latest.asked_at, survey.unsent_micros, stops=True)], 1)


def wrong_books(survey: Survey) -> Found:
    """Books that do not add up."""
    since = books_wrong_since()
    if since is None:
        return Found()
    link = reverse("admin:orders_books_changelist")
    return Found([Line(_("The audit found that the books don't add up"), link, since, stops=True)], 1)


def syncs(survey: Survey) -> Found:
    """Syncs that wait for a decision, and kinds of syncs whose last run came to nothing."""
    held = SyncRun.objects.filter(status=SyncRun.Status.QUARANTINED)
    last = Q(pk__in=[])
    for kind in SyncRun.Kind:
        last |= Q(pk=_last(SyncRun.objects.filter(kind=kind)))
    failed = SyncRun.objects.filter(last, status__in=FAILED)
    rows, total = longest_waiting(held | failed, "started_at", "pk", "kind", "status", "error", "started_at")
    lines = [
        Line(
            what=f"{SyncRun.Kind(kind).label}: {SyncRun.Status(status).label}. {error}".strip(),
            link=reverse("admin:catalog_syncrun_change", args=[pk]),
            since=since,
            stops=status == SyncRun.Status.QUARANTINED,
        )
        for pk, kind, status, error, since in rows
    ]
    return Found(lines, total)


def _last(runs: QuerySet[SyncRun]) -> QuerySet[SyncRun, Any]:
    return runs.exclude(status=SyncRun.Status.RUNNING).order_by("-started_at").values("pk")[:1]


def contract_drift(survey: Survey) -> Found:
    """What upstream says and its document does not have."""
    columns = ("pk", "subject", "text", "first_seen_at")
    rows, total = longest_waiting(ContractDrift.objects.filter(settled_at=None), "first_seen_at", *columns)
    lines = [
        Line(
            what=f"{ContractDrift.Subject(subject).label}: {text}",
            link=reverse("admin:orders_contractdrift_change", args=[pk]),
            since=since,
        )
        for pk, subject, text, since in rows
    ]
    return Found(lines, total)


def rate_units(survey: Survey) -> Found:
    """Categories without a confirmed rate unit, in one line: they are confirmed on one page."""
    count = Category.objects.filter(rate_confirmed_at=None).count()
    if not count:
        return Found()
    what = ngettext(
        "%(count)d category shows no prices and accepts small orders only",
        "%(count)d categories show no prices and accept small orders only",
        count,
    )
    link = reverse("admin:orders_rateunitquestion_changelist")
    return Found([Line(what % {"count": count}, link)], 1)


KINDS = [
    Kind("books", gettext_lazy("Books"), "orders.books", "orders_books_changelist", wrong_books),
    Kind("balance", gettext_lazy("Upstream balance"), "orders.upstreambalance", "orders_upstreambalance_changelist",
         low_balance),
    Kind("sync", gettext_lazy("Sync runs"), "catalog.syncrun", "catalog_syncrun_changelist", syncs),
    Kind("payment", gettext_lazy("Payments"), "wallet.topup", "wallet_topup_changelist?attention=yes", payments),
    Kind("move", gettext_lazy("Manual adjustments"), "wallet.moneyrequest",
         "wallet_moneyrequest_changelist?state__exact=waiting", manual_moves),
    Kind("drift", gettext_lazy("Contract drift"), "orders.contractdrift",
         "orders_contractdrift_changelist?settled_at__isempty=1", contract_drift),
    Kind("rates", gettext_lazy("Rate units to confirm"), "orders.rateunitquestion",
         "orders_rateunitquestion_changelist", rate_units),
]  # fmt: skip
