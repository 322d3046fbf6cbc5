"""Reading settings from the environment, failing loudly and by name."""

import base64
import binascii
import contextlib
import hashlib
import ipaddress
import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

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
        """One of these words, written large or small; the first where nothing is set."""
        value = self.text(name, options[0])
        for option in options:
            if option.lower() == value.lower():
                return option
        raise ImproperlyConfigured(f"{name} is {value!r}; it should be one of {', '.join(options)}.")

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
        if value and not is_http_address(value):
            raise ImproperlyConfigured(f"{name} is {value!r}; it should be a whole http(s) address.")
        return value

    def redis_url(self, name: str, default: str) -> str:
        """Where Redis is; what is set may hold a password and is not quoted."""
        value = self.text(name, default)
        with contextlib.suppress(ValueError):
            parts = urlsplit(value)
            reached = bool(parts.hostname) and parts.port != 0
            if parts.scheme in ("redis", "rediss") and reached and re.fullmatch(r"(/\d*)?", parts.path):
                return value
            if parts.scheme == "unix" and parts.path.startswith("/"):
                return value
        raise ImproperlyConfigured(
            f"{name} is no address of a Redis; it should look like redis://:password@host:6379/0."
        )

    def parsed(self, name: str, reader: str, default: str, *, like: str) -> dict[str, Any]:
        """A URL that django-environ turns into a settings dictionary: `db_url_config`, `email_url_config`.

        It may hold a password: the message says what it should be `like` and quotes nothing.
        """
        value = self.text(name, default)
        try:
            return getattr(environ.Env, reader)(value)
        except (ValueError, KeyError, environ.ImproperlyConfigured):
            raise ImproperlyConfigured(
                f"{name} is not a URL that can be understood; it should look like {like}, with %-codes for characters "
                "like @, : and / in a password."
            ) from None

    def currency(self, name: str, default: str) -> str:
        """Three letters, in capitals."""
        value = self.text(name, default).upper()
        if not re.fullmatch("[A-Z]{3}", value):
            raise ImproperlyConfigured(f"{name} is {value!r}; it should be three letters, like USD.")
        return value

    def mailbox(self, name: str, default: str) -> str:
        """An e-mail address, perhaps with a name: `Shop <shop@example.com>`."""
        return _mailbox(name, self.text(name, default))

    def mailboxes(self, name: str) -> list[str]:
        """E-mail addresses with commas between them; none where nothing is set."""
        return [_mailbox(name, address) for address in self.listing(name, [])]

    def time_zone(self, name: str, default: str) -> str:
        """The name of a time zone that this machine knows."""
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ImproperlyConfigured(
                f"{name} is {value!r}; it should be the name of a time zone, like UTC or Europe/Berlin."
            ) from None
        return value

    def dotted_path(self, name: str) -> str:
        """Where a callable lies, like `package.module.name`, by its shape; "" where nothing is set."""
        value = self.text(name, "")
        if value and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):
            raise ImproperlyConfigured(f"{name} is {value!r}; it should be a dotted path, like rates.today.")
        return value

    def folder(self, name: str, default: Path) -> Path:
        """A folder by its whole path: where a process is started differs."""
        value = Path(self.text(name, str(default)))
        if not value.is_absolute():
            raise ImproperlyConfigured(f"{name} is {str(value)!r}; it should be a whole path, beginning with /.")
        return value

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

    def ordered(self, least: tuple[str, Any], most: tuple[str, Any]) -> None:
        """Refuse two values, each with its name, of which the first is above the second."""
        if least[1] > most[1]:
            raise ImproperlyConfigured(
                f"{least[0]} is {least[1]} and {most[0]} is {most[1]}; the first should be at most the second."
            )

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


def is_http_address(text: str) -> bool:
    """Whether a text is a whole http(s) address, by its shape."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        return False


def is_host(text: str) -> bool:
    """Whether a text can be a host's name or address, without a port."""
    try:
        return bool(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return len(text) <= 253 and bool(re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?\.?", text.lower()))


def _mailbox(name: str, text: str) -> str:
    found = re.fullmatch(r"(?:[^<>]*<([^<>]+)>|([^<>]+))", text)
    try:
        validate_email((found[1] or found[2]) if found else "")
    except ValidationError:
        raise ImproperlyConfigured(
            f"{name} is {text!r}; it should be an e-mail address, like shop@example.com."
        ) from None
    return text


def _is_encryption_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)) == 32
    except (UnicodeEncodeError, binascii.Error):
        return False
