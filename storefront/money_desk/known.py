"""What the money desk only shows: the supplier's account, what customers owe, the books at a glance."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.moments import write_distance
from accounts.templatetags.money import money
from catalog.caching.versioned_cache import cache_key
from orders.accounting.audit.upstream import Explained, explained
from orders.fulfilment.solvency import forecast, latest_balance
from orders.models import UpstreamBalance, UpstreamEntry
from storefront.admin_home import figures
from storefront.money_desk.tabs import receivables
from storefront.monitoring.alerts import books_wrong_since
from upstream.money import micros_from_decimal

ENTRIES = 10
SHOWN = 50
KEPT_SECONDS = 300  # adding up all orders takes a second in a large shop


def supplier_account(*, now: datetime) -> dict[str, Any]:
    """Return what the account held when it was last seen, what our books say, and the newest entries."""
    latest, outlook = latest_balance(), forecast(now=now)
    facts: list[tuple[str, str]] = []
    if latest is not None and outlook is not None:
        facts += [
            (_("Balance"), _upstream(latest.amount_upstream_micros)),
            (_("Seen"), write_distance(latest.asked_at, now=now)),
            (_("Needed by paid orders"), _upstream(outlook.reserved_micros)),
            (_("Left for new ones"), _upstream(outlook.available_micros)),
        ]
        if outlook.hours_left is not None:
            facts.append((_("Lasts, hours"), str(outlook.hours_left)))
        facts += _compared(latest)
    entries = UpstreamEntry.objects.select_related("created_by")[:ENTRIES]
    link = reverse("admin:orders_upstreamentry_changelist")
    lines = [
        (link, f"{entry.get_kind_display()} {entry.note}", _upstream(entry.amount_upstream_micros), entry.created_at)
        for entry in entries
    ]
    return {"facts": facts, "lines": lines, "pages": [("orders_upstreamentry_changelist", _("Upstream account"))]}


def owed(*, now: datetime) -> dict[str, Any]:
    """Return what customers owe in all, and who has owed it longest."""
    left = F("amount_micros") - F("paid_micros")
    whole = receivables().order_by().aggregate(sum=Sum(left), count=Count("pk"), people=Count("user", distinct=True))
    lines = [
        (
            reverse("admin:wallet_receivable_change", args=[row.pk]),
            f"{row.user.email} {row.note}",
            money(row.amount_micros - row.paid_micros),
            row.created_at,
        )
        for row in receivables().select_related("user")[:SHOWN]
    ]
    facts = [(_("Owed in all"), money(whole["sum"] or 0)), (_("Customers"), str(whole["people"]))]
    return {"facts": facts, "lines": lines, "pages": [("wallet_receivable_changelist", _("Receivables"))]}


def books(*, now: datetime) -> dict[str, Any]:
    """Return whether the books add up, today beside last week, and thirty days."""
    wrong = books_wrong_since()
    stands = _("They add up, as far as the last audit saw.")
    if wrong is not None:
        stands = _("The audit found that they don't add up, %(time)s.") % {"time": write_distance(wrong, now=now)}
    days = figures.thirty_days(now)
    facts = [
        (_("Audit"), stands),
        *((one.title, f"{one.today} ({one.before})") for one in figures.books_of_today(now)),
        (_("Sales of 30 days"), days["sales"]),
        (_("Margin of 30 days"), days["margin"]),
    ]
    return {"facts": facts, "lines": [], "pages": [("orders_books_changelist", _("Books"))]}


def _compared(latest: UpstreamBalance) -> list[tuple[str, str]]:
    """Return what our books say the account held when it was seen, and by how much it differs.

    What is in doubt is what the audit takes for it, and what was sent since the account was seen.
    """
    if not UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).exists():
        return [(_("By our books"), _("not compared: no order has been sent yet"))]
    key = cache_key("money-desk-supplier", latest.pk)
    ours: Explained | None = cache.get(key)
    if ours is None:
        ours = explained(latest.asked_at)
        cache.set(key, ours, timeout=KEPT_SECONDS)
    seen, tolerance = latest.amount_upstream_micros, micros_from_decimal(settings.AUDIT_TOLERANCE)
    difference = _upstream(seen - ours.expected)
    if not ours.minimum - tolerance <= seen <= ours.maximum + tolerance:
        difference = _("%(amount)s, more than orders in doubt explain") % {"amount": difference}
    return [(_("By our books"), _upstream(ours.expected)), (_("Difference"), difference)]


def _upstream(micros: int) -> str:
    return money(micros, settings.UPSTREAM_CURRENCY)


READ = {"supplier": supplier_account, "receivables": owed, "books": books}
