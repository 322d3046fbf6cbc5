"""What the demo runs on, decided before Django reads its settings: ports, folders, keys, the environment."""

import argparse
import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from storefront.demo.processes import free_port, is_free
from upstream.sandbox.profiles import LIVE, PROFILES

ROOT = Path(__file__).resolve().parents[2]
USUAL_SANDBOX_PORT = 8765
SERVICES = 20_000
USUAL_PROFILE = LIVE  # what owners meet, rather than what the document promises
NUMBER_LIFETIME_SECONDS = 600
# So that every way of a number and of an order can be walked: a code that never comes, time to replace its number, and
# an order that ends as its link says. As JSON, for the sandbox's command line.
SANDBOX_SETTINGS = {"number_lifetime_seconds": NUMBER_LIFETIME_SECONDS, "codeless_rate": 0.25, "links_tell": "true"}
# Everything a deployment would set and the demo must not take from it: real keys least of all.
_NOT_TAKEN_OVER = (
    "ADMIN_HOST", "BEHIND_PROXY", "TRUSTED_PROXY_COUNT", "HTTPS_REDIRECT", "HSTS_SECONDS", "HSTS_SUBDOMAINS",
    "CSRF_TRUSTED_ORIGINS", "FROM_EMAIL", "METRICS_TOKEN", "SANDBOX_URL", "UPSTREAM_CURRENCY",
    "UPSTREAM_EXCHANGE_RATE",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `manage.py demo`."""
    parser.add_argument(
        "--port", type=int, default=os.environ.get("PORT", "8000"), help="of the shop (PORT, else 8000)"
    )
    parser.add_argument("--services", type=int, default=SERVICES, help=f"size of the catalog at first ({SERVICES:,})")
    parser.add_argument(
        "--profile", action="append", dest="profiles", metavar="NAME", choices=list(PROFILES),
        help=f"manners of the sandbox supplier, several perhaps: {', '.join(PROFILES)} (PROFILE, else {USUAL_PROFILE})",
    )  # fmt: skip
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "demo", help="where its data are kept (var/demo)")


def prepare(arguments: list[str]) -> None:
    """Make the demo's folder and set the environment that settings and children will read.

    A wrong option is left for the command itself to complain about.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_arguments(parser)
    try:
        options, _others = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        options, _others = parser.parse_known_args([])
    folder = options.folder.resolve()
    for name in ("log", "mail", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sandbox_port = USUAL_SANDBOX_PORT if is_free(USUAL_SANDBOX_PORT) else free_port()
    for name in _NOT_TAKEN_OVER:
        os.environ.pop(name, None)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "storefront.settings",
            "DOTENV": os.devnull,
            "DEBUG": "false",
            "DEMO": "true",  # two factors would stand between the visitor and the admin
            "DEMO_PAYMENTS": "true",  # else nobody could pay
            "SECRET_KEY": _kept(folder / "secret_key", lambda: secrets.token_urlsafe(48)),
            "FIELD_ENCRYPTION_KEYS": _kept(
                folder / "encryption_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            ),
            "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
            "SITE_URL": f"http://127.0.0.1:{options.port}",
            "STORE_NAME": os.environ.get("STORE_NAME", ""),  # without one it can be changed at the admin
            "DATABASE_URL": f"sqlite:///{database(folder)}",
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
            "UPSTREAM_URL": f"http://127.0.0.1:{sandbox_port}/api/v2",
            "UPSTREAM_KEY": "sandbox-key",
            "CATALOG_LANGUAGES": os.environ.get("CATALOG_LANGUAGES") or "ru",
            "STORE_CURRENCY": "USD",  # as the sandbox's, so that no exchange rate is missing
            "SMS_LIFETIME_SECONDS": str(NUMBER_LIFETIME_SECONDS),
            # Every code that comes has come by then, and nobody who wants to try it waits long.
            "SMS_REPLACE_AFTER_SECONDS": os.environ.get("SMS_REPLACE_AFTER_SECONDS") or "60",
            "ORDERS_POLL_MIN_SECONDS": "5",  # goods are there within half a minute, and so are the news of it
            "REFERRAL_PERCENT": os.environ.get("REFERRAL_PERCENT") or "10",
            "STATIC_ROOT": str(folder / "static"),
            # The demo's e-mails are files: nobody should have to dig for a link to get in.
            "EMAIL_VERIFICATION": "optional",
            "EMAIL_URL": f"filemail://{folder / 'mail'}",
            "ADMIN_EMAILS": "admin@example.com",  # the demo's admin, see setup.py, which may not be imported yet
            "LOG_LEVEL": os.environ.get("LOG_LEVEL") or "INFO",
            # gunicorn, Celery and SQLite leave nothing outside the folder.
            "TMPDIR": str(folder / "tmp"),
        }
    )


def usual_profiles() -> list[str]:
    """Return the manners of the supplier where no option names any: PROFILE, several parted by commas, or the usual."""
    return [name.strip() for name in (os.environ.get("PROFILE") or USUAL_PROFILE).split(",")]


def database(folder: Path) -> Path:
    """Return the path of the demo's database."""
    return folder.resolve() / "shop.sqlite3"


def port_of(url: str) -> int:
    """Return the port a URL of ours names."""
    return urlsplit(url).port or 0


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in this file, made at the first start."""
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text().strip()
