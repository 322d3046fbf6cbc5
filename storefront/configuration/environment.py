"""Reading settings from the environment, failing loudly and by name."""

import base64
import binascii
import hashlib
import ipaddress
import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

UNSET = object()


class Environment:
    """Typed reads of environment variables; every error names the variable and says what it should look like."""

    def __init__(self, dotenv: Path) -> None:
        self._env = environ.Env()
        if dotenv.is_file():
            self._env.read_env(str(dotenv))
        self.explicit: set[str] = set()  # the variables that have a value, of those read so far

    def text(self, name: str, default: Any = UNSET) -> str:
        value = self._env.str(name, default="").strip()
        if value:
            self.explicit.add(name)
            return value
        if default is UNSET:
            raise ImproperlyConfigured(f"{name} is not set. .env.example says what it is for.")
        return default

    def choice(self, name: str, *options: str) -> str:
        """One of these words, the first where nothing is set."""
        value = self.text(name, options[0])
        if value not in options:
            raise ImproperlyConfigured(f"{name} is {value!r}; it should be one of {', '.join(options)}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        raw = self.text(name, "")
        if not raw:
            return default
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() in ("0", "false", "no", "off"):
            return False
        raise ImproperlyConfigured(f"{name} is {raw!r}; it should be true or false.")

    def number(self, name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        return self._checked(name, default, int, "a whole number", minimum, maximum)

    def seconds(self, name: str, default: float, minimum: float = 0.1) -> float:
        return self._checked(name, default, float, "a number of seconds", minimum, None)

    def decimal(
        self, name: str, default: str, minimum: Decimal = Decimal(0), maximum: Decimal | None = None
    ) -> Decimal:
        return self._checked(name, Decimal(default), Decimal, "a number", minimum, maximum)

    def listing(self, name: str, default: list[str]) -> list[str]:
        raw = self.text(name, "")
        return [item.strip() for item in raw.split(",") if item.strip()] if raw else default

    def networks(self, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Addresses and networks like 10.0.0.0/8, with commas between them; none where nothing is set."""
        try:
            return [ipaddress.ip_network(text) for text in self.listing(name, [])]
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} should name networks like 10.0.0.0/8: {error}.") from None

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ImproperlyConfigured(f"{name} is {value!r}; it should be a whole http(s) address.")
        return value

    def parsed(self, name: str, reader: str, default: str) -> dict[str, Any]:
        """A URL that django-environ turns into a settings dictionary: `db_url_config`, `email_url_config`."""
        value = self.text(name, default)
        try:
            return getattr(environ.Env, reader)(value)
        except (ValueError, KeyError, environ.ImproperlyConfigured) as error:
            raise ImproperlyConfigured(f"{name} is not a URL that can be understood: {error}") from error

    def encryption_keys(self, name: str, *, made_from: str) -> list[str]:
        """Fernet keys, newest first; where none is set, one made from another secret, unless that is "" too."""
        keys = self.listing(name, [])
        for position, key in enumerate(keys, start=1):
            if not _is_encryption_key(key):  # its text is a secret: the message counts instead of quoting
                raise ImproperlyConfigured(f"{name}: key {position} is not 32 random bytes in URL-safe base64.")
        if keys:
            return keys
        if not made_from:
            raise ImproperlyConfigured(f"{name} is not set. .env.example has the command that makes a key.")
        digest = hashlib.sha256(f"{name}:{made_from}".encode()).digest()
        return [base64.urlsafe_b64encode(digest).decode()]

    def _checked(
        self, name: str, default: Any, convert: Callable[[str], Any], kind: str, minimum: Any, maximum: Any
    ) -> Any:
        raw = self.text(name, "")
        try:
            value = convert(raw) if raw else default
        except (ValueError, InvalidOperation):
            raise ImproperlyConfigured(f"{name} is {raw!r}; it should be {kind}.") from None
        if not math.isfinite(value):  # "NaN" and "Infinity" are numbers to float and Decimal
            raise ImproperlyConfigured(f"{name} is {raw!r}; it should be {kind}.")
        if value < minimum or (maximum is not None and value > maximum):
            limit = f"at least {minimum}" + (f" and at most {maximum}" if maximum is not None else "")
            raise ImproperlyConfigured(f"{name} is {value}; it should be {limit}.")
        return value


def _is_encryption_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)) == 32
    except (UnicodeEncodeError, binascii.Error):
        return False
