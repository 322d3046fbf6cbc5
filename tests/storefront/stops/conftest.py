"""A shop of real processes beside the test's database, its Valkey and its sandbox."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storefront.demo.processes import Processes
from tests.api.conftest import key
from tests.orders.conftest import place
from tests.sms.conftest import buy, project
from tests.storefront.stops.servers import Web
from tests.warm import WarmProcesses
from tests.workers import Workers

__all__ = ["buy", "key", "place", "project"]


@pytest.fixture
def workers(tmp_path: Path, transactional_db: None, sandbox: Any) -> Iterator[Workers]:
    """Workers and beat, none of them started."""
    with WarmProcesses() as processes:
        yield Workers(processes, tmp_path)
        processes.kill()


@pytest.fixture
def web(tmp_path: Path, transactional_db: None, sandbox: Any) -> Iterator[Web]:
    """The web, not started."""
    with Processes() as processes:
        yield Web(processes, tmp_path)
        processes.kill()


@pytest.fixture
def books_add_up(transactional_db: None, client_upstream: Any) -> Any:
    """A check: the audit finds nothing, and upstream has each of our orders once."""
    from django.utils import timezone

    from orders.accounting.audit import audit
    from orders.models import Order

    def check(sandbox: Any) -> None:
        ours = sorted(Order.objects.exclude(upstream_id="").values_list("upstream_id", flat=True))
        assert sorted(str(order["id"]) for order in sandbox.orders) == ours
        findings = audit(client=client_upstream, now=timezone.now())
        assert findings.problems == []
        assert sandbox.books()["adds_up"]

    return check
