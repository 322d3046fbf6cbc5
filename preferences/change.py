"""Changing preferences, putting a former value back, and finding what is stored and cannot be used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from preferences.models import PreferenceChange
from preferences.registry import Preference, declared, find
from preferences.stored import ask_the_database, forget, newest_rows, tell, version_of

WRITERS_LOCK = 0x9EF5  # one after the other, so that a higher number is always a later change


class SetOutside(Exception):
    """The environment says what holds."""


class Disagree(ValidationError):
    """Values that are right each by itself and cannot hold together; `reasons` by name of preference."""

    def __init__(self, reasons: Mapping[str, ValidationError]) -> None:
        self.reasons = reasons
        super().__init__([text for error in reasons.values() for text in error.messages])


class ChangedMeanwhile(Exception):
    """Somebody else has changed it since it was looked at."""


def change_preferences(
    wanted: Mapping[Preference[Any], Any],
    *,
    seen: int | None = None,
    actor_id: int | None,
    actor: str,
    now: datetime,
) -> list[PreferenceChange]:
    """Store values that have been read by their kinds, all or none; a value of None puts the default back.

    Returns a row for each that is another one now. `seen` is the newest row when they were looked at: raises
    ChangedMeanwhile, and changes nothing, where one of them has changed since. Raises SetOutside for one that the
    environment sets, and Disagree where two of them cannot hold together. Who may change what is the caller's to know.
    """
    for preference in wanted:
        if preference.is_set_outside:
            raise SetOutside(preference.name)
    with transaction.atomic():
        _wait_for_my_turn()
        forget()  # what another process has saved a moment ago counts
        check_together(wanted)
        newest = newest_rows()
        made = []
        for preference, value in wanted.items():
            row = newest.get(preference.name)
            before = None if row is None else row.after
            after = None if value is None else preference.kind.write(value)
            if after == before:
                continue
            if seen is not None and row is not None and row.pk > seen:
                raise ChangedMeanwhile(preference.name)
            made.append(
                PreferenceChange(
                    name=preference.name,
                    before=before,
                    after=after,
                    changed_at=now,
                    actor_id=actor_id,
                    actor=actor,
                )
            )
        for change in made:
            change.save(force_insert=True)
        if made:
            # Now for the rest of this transaction, and once it is committed for everybody.
            ask_the_database()
            version = version_of(made[-1])
            transaction.on_commit(lambda: tell(version))
            for preference in wanted:
                if any(change.name == preference.name for change in made):
                    transaction.on_commit(preference.then)
    return made


def check_together(wanted: Mapping[Preference[Any], Any]) -> None:
    """Raise Disagree, with the reasons by name, where a value cannot hold beside what the others are going to be."""

    def others(preference: Preference[Any]) -> Any:
        asked.add(preference)
        value = wanted.get(preference, preference.value)
        return preference.default_value if value is None else value

    reasons = {}
    for preference in declared():
        asked: set[Preference[Any]] = set()
        try:
            preference.agrees(others(preference), others)
        except ValidationError as error:
            # Not where the trouble was there before and none of them is changed.
            if changed := [one for one in (preference, *asked) if one in wanted]:
                reasons[changed[0].name] = error
    if reasons:
        raise Disagree(reasons)


def undo(change: PreferenceChange, *, actor_id: int | None, actor: str, now: datetime) -> list[PreferenceChange]:
    """Put back what was there before a change, and return the row that says so; none where that holds already.

    Raises ValidationError where it can no longer be read: rules may have become stricter since. Raises SetOutside.
    """
    preference = find(change.name)
    if preference is None:
        raise ValidationError(_("There is no such preference any more."))
    value = None if change.before is None else preference.kind.read(change.before)
    return change_preferences({preference: value}, actor_id=actor_id, actor=actor, now=now)


def broken() -> dict[str, str]:
    """Return what is stored and cannot be used, by name, with what is wrong with it."""
    found = {}
    for name, row in sorted(newest_rows().items()):
        preference = find(name)
        if preference is None:
            found[name] = "no such preference"
        elif row.after is not None:
            try:
                preference.kind.read(row.after)
            except ValidationError as error:
                found[name] = " ".join(error.messages)
    return found


def _wait_for_my_turn() -> None:
    """Let nobody else change preferences until this transaction has ended; on SQLite one writes at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_LOCK])
