"""Writing an entry of the trail."""

from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import address_of
from accounts.models import TrailEntry, User
from accounts.trail.chain import hash_of, new_salt, origin_digest
from accounts.trail.values import plain

# The request at work, for signals, which are not told of it.
acting_request: ContextVar[HttpRequest | None] = ContextVar("acting_request", default=None)
COMMAND_LINE = "command line"
CHAIN_LOCK = 0x7A11  # one entry after the other: they are rare


def record(
    action: str,
    *,
    actor: User | AnonymousUser | None,
    target: Model | None = None,
    request: HttpRequest | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> TrailEntry:
    """Add an entry to the trail, in the caller's transaction: what is rolled back was not done.

    `action` is one of `TrailEntry.Action`. `actor` None: the command line, or nobody who is known. Fields whose names
    say that they are secret are noted as changed, without their values. Raises ValueError for an unknown action.
    """
    action = TrailEntry.Action(action)
    request = request or acting_request.get()
    entry = TrailEntry(
        created_at=now or timezone.now(),
        action=action,
        actor_id=getattr(actor, "pk", None),
        actor=_name(actor, request),
        address=address_of(request) if request else None,
        agent=plain(request.META.get("HTTP_USER_AGENT", ""))[:200] if request else "",
        origin_salt=new_salt(),
        target_type="" if target is None else target._meta.label,
        target_id="" if target is None or target.pk is None else str(target.pk)[:64],
        target="" if target is None else plain(str(target))[:200],
        before=plain(before or {}),
        after=plain(after or {}),
    )
    entry.origin_digest = origin_digest(entry.origin_salt, entry.address, entry.agent)
    with transaction.atomic():
        wait_for_my_turn()
        last = TrailEntry.objects.order_by("-number").first()
        entry.number = 1 if last is None else last.number + 1
        entry.previous = "" if last is None else last.hash
        entry.hash = hash_of(entry)
        entry.save()
    if request is not None:
        request.is_on_the_trail = True  # type: ignore[attr-defined]  # see accounts/admin/recorded.py
    return entry


def _name(actor: Any, request: HttpRequest | None) -> str:
    if actor is not None and actor.pk is not None:
        return plain(str(actor))[:254]
    return "" if request else COMMAND_LINE


def wait_for_my_turn() -> None:
    """Let nobody else add an entry until this transaction has ended; on SQLite one writes at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
