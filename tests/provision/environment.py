"""The environment of the suite, set before Django reads its settings; pytest loads this first (see pyproject.toml).

A developer's `.env` and shell do not reach the tests. Two variables are taken from outside: DATABASE_URL (default:
SQLite) and TEST_REDIS_URL (default: a Valkey of our own).
"""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "storefront.settings",
    "DOTENV": os.devnull,
    "SECRET_KEY": "only-for-tests-" + 40 * "x",
    "DEBUG": "true",
    "LOG_LEVEL": "WARNING",
    "EMAIL_URL": "memorymail://",
    "SITE_URL": "http://testserver",
    # Nobody listens there: a test that talks to upstream asks for the `sandbox` fixture.
    "UPSTREAM_URL": "http://127.0.0.1:9/api/v2",
    "UPSTREAM_KEY": "no-upstream",
}
KEPT = {"DATABASE_URL", "TEST_REDIS_URL"}
ROOT = Path(__file__).resolve().parents[2]


def variables_of_the_shop() -> set[str]:
    """Return every variable the settings read, by the lines of `.env.example`."""
    names = set()
    for line in (ROOT / ".env.example").read_text().splitlines():
        name, separator, _value = line.removeprefix("#").strip().partition("=")
        if separator and name.isupper():
            names.add(name)
    return names


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Prepare the environment, and a Valkey unless there is one; a wrapper runs before pytest-django loads settings."""
    for name in variables_of_the_shop() - KEPT:
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if "TEST_REDIS_URL" not in os.environ:
        _start_valkey(early_config)
    server = os.environ["TEST_REDIS_URL"].rstrip("/").rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{worker}"
    yield


def _start_valkey(config: pytest.Config) -> None:
    """Start one Valkey for this process and its xdist workers, which inherit the variable."""
    from storefront.demo.processes import Processes
    from storefront.demo.valkey import start_valkey

    processes = Processes()
    folder = tempfile.TemporaryDirectory(prefix="shop-valkey-")
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(processes.stop)
    _child, os.environ["TEST_REDIS_URL"] = start_valkey(processes, Path(folder.name))
