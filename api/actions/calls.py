"""One call of the API: who calls, with which key, from where, and what for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import ApiKey, User
from api.actions.params import ApiError, Params
from upstream.reading.languages import code_among
from upstream.reading.text import line

MAX_AT_ONCE = 100
LONGEST_LANGUAGE = 20
NOT_FOUND = 404


class Scope(StrEnum):
    """What a key may do; each is the name of a field of ApiKey."""

    READ = "may_read"
    ORDER = "may_order"
    SMS = "may_sms"
    SECRETS = "may_see_secrets"


REFUSALS = {
    Scope.READ: "This key may not read",
    Scope.ORDER: "This key may not order services",
    Scope.SMS: "This key may not buy SMS numbers",
    Scope.SECRETS: "This key may not see delivered goods and codes",
}


@dataclass(frozen=True)
class Call:
    """A call as an action gets it. Without a `key` it is the signed-in customer who calls, from the console."""

    user: User
    params: Params
    key: ApiKey | None = None
    address: str | None = None
    now: datetime = field(default_factory=timezone.now)

    def text(self, name: str) -> str:
        """Return a parameter as it is seen, on one line and without blanks around it; "" where it was not sent."""
        return line(self.params.get(name, ""))

    @property
    def names_language(self) -> str:
        """The language that names are wanted in, as upstream calls it; "" for English, and for one the shop lacks."""
        return code_among(self.text("lang")[:LONGEST_LANGUAGE], settings.CATALOG_LANGUAGES)

    @property
    def may_see_secrets(self) -> bool:
        """Whether the answer may hold what was delivered, and codes."""
        return self.key is None or self.key.may_see_secrets

    def check_scope(self, scope: Scope) -> None:
        """Raise ApiError when the key may not do this."""
        if self.key is not None and not getattr(self.key, scope):
            raise ApiError(REFUSALS[scope], 403)

    def several(self, name: str) -> list[str]:
        """Return the parts of a parameter like `1,2,3`, each once. Raises ApiError for more than 100."""
        parts = list(dict.fromkeys(part.strip() for part in self.text(name).split(",") if part.strip()))
        if len(parts) > MAX_AT_ONCE:
            raise ApiError(f"Too many {name}, {MAX_AT_ONCE} at most")
        return parts


Run = Callable[[Call], Any]
