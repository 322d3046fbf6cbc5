"""A Chromium for the browser tests: the system's, else one that is installed now; never none."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.provision import apt

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOCK = Path(__file__).resolve().parents[2] / "var" / "chromium.lock"


class ChromiumMissing(RuntimeError):
    """There is no Chromium and none could be installed; the text says what was tried."""


def executable() -> str:
    """Return the path of a Chromium that runs, installing one if there is none.

    CHROMIUM names one to use instead. Raises ChromiumMissing, so that browser tests fail where they cannot run.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if not _runs(named):
            raise ChromiumMissing(f"CHROMIUM is {named!r}, which does not run.")
        return named
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:  # parallel test processes: one installs, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _of_the_system() or _of_playwright()
        if found:
            return found
        tried = "\n".join((apt.install("chromium"), _playwright_install()))
        found = _of_the_system() or _of_playwright()
    if not found:
        raise ChromiumMissing(f"No Chromium, and it could not be installed. Install it and run again.\n{tried}")
    return found


def launch_arguments() -> list[str]:
    """Return the command line switches Chromium needs here: it refuses to be sandboxed under root."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def _runs(path: str) -> bool:
    # Some distributions ship a script in Chromium's place that only tells where to get it.
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "chrom" in done.stdout.lower()


def _of_the_system() -> str | None:
    paths = (shutil.which(name) for name in NAMES)
    return next((path for path in paths if path and _runs(path)), None)


def _of_playwright() -> str | None:
    # In a process of its own: Playwright's own loop must not be left running in the one that asks.
    asked = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=False)
    path = done.stdout.strip()
    return path if path and _runs(path) else None


def _playwright_install() -> str:
    if _of_the_system():
        return ""
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    done = apt.attempt(command + (["--with-deps"] if os.geteuid() == 0 else []), dict(os.environ))
    return f"playwright install: {done.stdout[-500:]}"
