"""Programs that no Python wheel has, out of Debian's packages, where we may install them."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

# Whatever the package brings as a service is not started.
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def install(package: str) -> str:
    """Install a package if that is possible here, and return what came of it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "apt-get: not here, or not root"
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = attempt(["apt-get", "-q", *command], {**os.environ, **ENVIRONMENT})
        if done.returncode:
            return f"apt-get {command[0]}: {done.stdout[-500:]}"
    return "apt-get: installed"


def attempt(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail, its output kept."""
    return subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
