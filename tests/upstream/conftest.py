"""A sandbox for tests of the sandbox: its own process, without Django and without the shop's client."""

from collections.abc import Iterator

import pytest

from tests.upstream.sandbox_calls import Ask, asker
from upstream.sandbox.process import Sandbox


@pytest.fixture(scope="package")
def box_process() -> Iterator[Sandbox]:
    with Sandbox.start(services=60, seed=1, speed=0) as process:
        yield process


@pytest.fixture
def box(box_process: Sandbox) -> Sandbox:
    """A sandbox as it started: 60 services, a balance of 1000.00, time stands still."""
    box_process.reset()
    return box_process


@pytest.fixture
def ask(box: Sandbox) -> Ask:
    """Ask the sandbox: `ask(action, **parameters)` returns the decoded answer."""
    return asker(box)
