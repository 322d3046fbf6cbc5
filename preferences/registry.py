"""What preferences there are. Adding one is one declaration; see `preferences/face.py` for examples.

`DECLARED.value` is what holds at this moment. A variable of the environment that somebody has set wins over what is
stored; what is stored and cannot be read counts as not stored, and `manage.py doctor` says so.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise

from preferences.kinds import Kind
from preferences.stored import Stored, stored

T = TypeVar("T")
Others = Callable[["Preference[Any]"], Any]  # gives what another one is going to be
CHANGE = "preferences.change_preferencechange"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """A heading of the page, which come first, and the anchor by which a link leads to it."""

    title: Promise | str
    place: int
    anchor: str
    help: Promise | str = ""


@dataclass(frozen=True, eq=False)
class Preference(Generic[T]):
    """Something the owner may change.

    `default` is a value or a function that returns one. With `setting`, the setting of that name is the default unless
    one is given (the setting may be a part of another), and where the environment sets the variable of that name
    nothing else counts. `permission`: who may change it. `warn` returns what to tell about a value that is accepted all
    the same, "" for nothing. `agrees` raises ValidationError for a value that cannot hold beside those of others, which
    it asks for by preference. `then` is called once a change is committed. One that is not `shown` stands on no page of
    preferences, and is kept by whoever declared it.
    """

    name: str
    kind: Kind[T]
    title: Promise | str
    group: Group
    help: Promise | str = ""
    default: T | Callable[[], T] | None = None
    setting: str = ""
    permission: str = CHANGE
    warn: Callable[[T], str] = lambda _value: ""
    agrees: Callable[[T, Others], None] = lambda _value, _others: None
    then: Callable[[], None] = lambda: None
    shown: bool = True

    @property
    def value(self) -> T:
        """The value that holds now, as every process knows it within a second or two; seldom a query."""
        if self.is_set_outside:
            return self.default_value
        now = stored()
        if now.rows.get(self.name) is None:
            return self.default_value
        if self.name not in now.read:
            now.read[self.name] = self._read(now)
        found = now.read[self.name]
        return self.default_value if found is None else found

    @property
    def default_value(self) -> T:
        """What holds where nothing is stored."""
        if self.setting and self.default is None:
            return self.kind.of_setting(getattr(settings, self.setting))
        return self.default() if callable(self.default) else self.default  # type: ignore[return-value]  # given then

    @property
    def is_set_outside(self) -> bool:
        """Whether the environment says what holds, so that nothing can be changed here."""
        return self.setting in settings.SET_IN_ENVIRONMENT

    def _read(self, now: Stored) -> T | None:
        try:
            return self.kind.read(now.rows[self.name])
        except ValidationError as error:
            log.error("preference %s is broken, its default counts: %s", self.name, " ".join(error.messages))
            return None


_declared: dict[str, Preference[Any]] = {}


def declare(preference: Preference[T]) -> Preference[T]:
    """Add a preference. Raises ValueError where there is one of that name."""
    if preference.name in _declared:
        raise ValueError(f"there are two preferences called {preference.name}")
    _declared[preference.name] = preference
    return preference


def declared() -> list[Preference[Any]]:
    """Return all preferences that are shown, in the order of the page."""
    return sorted((one for one in _declared.values() if one.shown), key=lambda one: one.group.place)


def unshown() -> list[str]:
    """Return the names of those that are not."""
    return [name for name, one in _declared.items() if not one.shown]


def find(name: str) -> Preference[Any] | None:
    """Return the preference of that name."""
    return _declared.get(name)
