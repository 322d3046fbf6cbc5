"""The tabs of the money desk: what each is for, who may see it, and how much waits there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.admin.widgets import may_see
from wallet.models import MoneyRequest, Receivable, TopUp

BY_HAND = "manual"  # the gateway whose payments people confirm


def payments() -> QuerySet[TopUp]:
    """Return the payments of gateways that wait for a human, the longest waiting first."""
    return TopUp.objects.for_a_human().exclude(gateway=BY_HAND).order_by("created_at", "pk")


def transfers() -> QuerySet[TopUp]:
    """Return the transfers that are to be confirmed by hand."""
    return TopUp.objects.for_a_human().filter(gateway=BY_HAND).order_by("created_at", "pk")


def moves() -> QuerySet[MoneyRequest]:
    """Return the moves by hand that wait for a second person."""
    return MoneyRequest.objects.filter(state=MoneyRequest.State.WAITING).order_by("created_at", "pk")


def receivables() -> QuerySet[Receivable]:
    """Return what customers owe, the oldest first."""
    return Receivable.objects.filter(settled_at=None).order_by("created_at", "pk")


@dataclass(frozen=True)
class Tab:
    """A tab by its name in the address; for whoever may view or change `model`. `waiting`: its queue, if it has one."""

    name: str
    title: Promise
    model: str
    waiting: Callable[[], QuerySet[Any]] | None = None


TABS = (
    Tab("payments", _("Payments"), "wallet.topup", payments),
    Tab("transfers", _("Bank transfers"), "wallet.topup", transfers),
    Tab("moves", _("Second person"), "wallet.moneyrequest", moves),
    Tab("supplier", _("Supplier account"), "orders.upstreambalance"),
    Tab("receivables", _("Receivables"), "wallet.receivable", receivables),
    Tab("books", _("Books"), "orders.books"),
)


def tabs_of(user: Any) -> list[Tab]:
    """Return the tabs that somebody may see."""
    return [tab for tab in TABS if may_see(user, tab.model)]
