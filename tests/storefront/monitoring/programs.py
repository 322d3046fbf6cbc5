"""Programs of their own, for what the shop decides once in a process."""

import os
import subprocess
import sys

from tests.storefront.settings_source import ROOT


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the shop's packages and this environment besides; return how it ended."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "UPSTREAM_KEY": "upstream-key-in-text", "DEBUG": "true", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
