"""Another process of the shop, asked for what it knows of the preferences."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def asked(program: str) -> Iterator[Callable[[], str]]:
    """Start a program that answers each line with a line; yield what asks it once and returns its answer."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines, answers = process.stdin, process.stdout

        def ask() -> str:
            lines.write("\n")
            lines.flush()
            return answers.readline().strip()

        yield ask
        lines.close()
