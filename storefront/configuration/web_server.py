"""What gunicorn is told, read like a setting: before there are settings, and by whatever starts a web process."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment

BASE_DIR = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class WebServer:
    """Processes, the threads of each, and how many seconds a call of the supplier may take."""

    processes: int
    threads: int
    call_seconds: float


def web_server(env: Environment) -> WebServer:
    """Read it from the environment. Raises ImproperlyConfigured with the variable that is wrong."""
    return WebServer(
        processes=env.number("WEB_CONCURRENCY", 2, minimum=1),
        # Most of a request's time is waiting, so many cost little; each may hold a connection to the database.
        threads=env.number("WEB_THREADS", 16, minimum=1),
        call_seconds=env.seconds("UPSTREAM_TIMEOUT_SECONDS", 30),
    )


def read_web_server() -> WebServer:
    """Read it from the environment and `.env`; where a value is wrong, end this program with what to write."""
    before = dict(os.environ)
    try:
        return web_server(Environment(Path(os.environ.get("DOTENV", BASE_DIR / ".env"))))
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    finally:  # a reload starts processes that are to find what `.env` says then
        os.environ.clear()
        os.environ.update(before)
