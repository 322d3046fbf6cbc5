#!/usr/bin/env python3
"""Make the secrets that `.env` lacks: python3 deploy/init_env.py [FILE]

Begins a new file with .env.example, or goes on with the one that is there. Nothing that has a value is touched. A
script and not a command of manage.py: it needs Python 3.11 and nothing else, because where Docker runs the shop, the
machine itself has none of its packages.
"""

import base64
import os
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"
MADE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "FIELD_ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    # Letters and digits: they become part of addresses.
    "POSTGRES_PASSWORD": lambda: secrets.token_hex(24),
    "RUNNING_PASSWORD": lambda: secrets.token_hex(24),
    "REDIS_PASSWORD": lambda: secrets.token_hex(24),
    "METRICS_TOKEN": lambda: secrets.token_hex(24),
}
# What only the owner knows, and how it looks.
ASKED = {
    "SITE_URL": "the address customers see, like https://shop.example.com",
    "ALLOWED_HOSTS": "its host name, like shop.example.com",
    "UPSTREAM_URL": "the supplier's endpoint, like https://hstockplus.com/api/v2",
    "UPSTREAM_KEY": "your key there",
    "EMAIL_URL": "the server that mail leaves through, like smtp+tls://user:password@mail.example.com:587",
    "SUPPORT_EMAIL": "where customers write to",
    "ADMIN_EMAILS": "who hears of errors and of books that do not add up",
}


def main(arguments: list[str]) -> int:
    """Fill the file in, and say what was made and what is left for the owner; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever is told so has an older one
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    path = Path(arguments[0]) if arguments else EXAMPLE.parent / ".env"
    begun = path.exists()
    text = (path if begun else EXAMPLE).read_text(encoding="utf-8")
    made = [name for name in MADE if not value_of(text, name)]
    for name in made:
        text = with_value(text, name, MADE[name]())
    if made or not begun:
        write(path, text)
    path.chmod(0o600)
    print(f"{path}: {'made ' + ', '.join(made) if made else 'no secret was missing'}.")
    if "FIELD_ENCRYPTION_KEYS" in made:
        print("Keep a copy of FIELD_ENCRYPTION_KEYS elsewhere: without it no backup gives back goods and codes.")
    left = [name for name in ASKED if not value_of(text, name)]
    if left:
        print("For you to fill in:")
        print("\n".join(f"  {name:15} {ASKED[name]}" for name in left))
    return 0


def value_of(text: str, name: str) -> str:
    """Return the value of a variable in the text of a file, "" where it has none."""
    found = re.findall(rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=(.*)$", text, flags=re.MULTILINE)
    return found[-1].strip().strip("'\"") if found else ""


def with_value(text: str, name: str, value: str) -> str:
    """Return the text with the variable set: where it stands empty or as a comment, else at the end."""
    line = f"{name}={value}"
    for empty in (rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t'\"]*$", rf"^#{name}=.*$"):
        changed, count = re.subn(empty, line, text, count=1, flags=re.MULTILINE)
        if count:
            return changed
    return f"{text.rstrip()}\n{line}\n"


def write(path: Path, text: str) -> None:
    """Put the text in place whole or not at all, for nobody but its owner to read."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
