"""What the trail learns by signals, because it happens in libraries: sign-ins, rights, second factors.

Of sign-ins and factors only those of staff: what customers do with their own accounts is nobody's trail.
"""

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_save, pre_save

from accounts.models import TrailEntry, User
from accounts.trail.record import acting_request, record

Action = TrailEntry.Action
POWERS = ("is_staff", "is_superuser", "is_active")
WORDS = {"post_add": "added", "post_remove": "removed", "pre_clear": "cleared"}


def connect() -> None:
    """Listen; called once, when all models are there."""
    user_logged_in.connect(_signed_in, dispatch_uid="trail")
    user_logged_out.connect(_signed_out, dispatch_uid="trail")
    user_login_failed.connect(_sign_in_failed, dispatch_uid="trail")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_rights_changed, sender=through, dispatch_uid="trail")
    pre_save.connect(_remember_powers, sender=User, dispatch_uid="trail")
    post_save.connect(_powers_changed, sender=User, dispatch_uid="trail")
    for word, signal in (
        ("added", authenticator_added),
        ("removed", authenticator_removed),
        ("reset", authenticator_reset),
    ):
        signal.connect(_FACTORS[word], dispatch_uid="trail")


def _signed_in(sender: Any, request: Any, user: User, **_rest: Any) -> None:
    if user.is_staff:
        record(Action.SIGNED_IN, actor=user, target=user, request=request)


def _signed_out(sender: Any, request: Any, user: User | None, **_rest: Any) -> None:
    if user is not None and user.is_staff:
        record(Action.SIGNED_OUT, actor=user, target=user, request=request)


def _sign_in_failed(sender: Any, credentials: dict[str, Any], request: Any = None, **_rest: Any) -> None:
    address = credentials.get("email") or credentials.get("username") or credentials.get("login") or ""
    tried = User.objects.filter(email=str(address).strip().lower(), is_staff=True).first() if address else None
    if tried is not None:
        record(Action.SIGN_IN_FAILED, actor=None, target=tried, request=request)


def _rights_changed(sender: Any, instance: Any, action: str, pk_set: Any, reverse: bool, model: Any, **_: Any) -> None:
    if action not in WORDS or (action != "pre_clear" and not pk_set):
        return
    others = model._default_manager.filter(pk__in=pk_set) if pk_set else ()
    after = {"what": model._meta.label, WORDS[action]: [str(one) for one in others]}
    record(Action.RIGHTS, actor=_who(), target=instance, after=after)


def _remember_powers(sender: Any, instance: User, update_fields: Any = None, raw: bool = False, **_rest: Any) -> None:
    instance._powers_before = None  # type: ignore[attr-defined]
    if raw or (update_fields is not None and not set(POWERS) & set(update_fields)):
        return
    before = User.objects.filter(pk=instance.pk).values(*POWERS).first() if instance.pk else None
    instance._powers_before = before or {"is_staff": False, "is_superuser": False, "is_active": True}  # type: ignore[attr-defined]


def _powers_changed(sender: Any, instance: User, **_rest: Any) -> None:
    before = getattr(instance, "_powers_before", None)
    after = {name: getattr(instance, name) for name in POWERS}
    if before is not None and before != after:
        record(Action.RIGHTS, actor=_who(), target=instance, before=before, after=after)


def _factor(word: str) -> Any:
    def changed(sender: Any, request: Any, user: User, authenticator: Any, **_rest: Any) -> None:
        if user.is_staff:
            who = getattr(request, "user", None) or user
            record(Action.FACTORS, actor=who, target=user, request=request, after={word: authenticator.type})

    return changed


_FACTORS = {word: _factor(word) for word in ("added", "removed", "reset")}


def _who() -> Any:
    request = acting_request.get()
    return getattr(request, "user", None)
