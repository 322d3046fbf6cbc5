"""Code from before the newest migration, on the tables as they are now: it sells, sends, polls, and the books hold."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orders.models import Order, Status
from storefront.demo.processes import Processes
from tests.storefront.settings_source import ROOT
from tests.storefront.stops.servers import Web
from tests.workers import Workers, wait_for

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.django_db(transaction=True)]


def git(*arguments: str) -> bytes:
    """Ask git; skips where it has no history, as in a tarball or a shallow clone."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        pytest.skip("needs the history of the repository: what old code writes is also proved without it")
    return done.stdout


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """The folder of the shop as it was before the newest migration came."""
    came = git("log", "-1", "--format=%H", "--diff-filter=A", "--", "*/migrations/0*.py").decode().strip()
    folder = tmp_path / "previous"
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{came}^"))) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started
        started.kill()


def test_previous_code_when_the_tables_are_ours_then_it_sells_sends_and_polls_and_our_audit_is_clean(
    previous: Path,
    processes: Processes,
    workers: Workers,
    tmp_path: Path,
    sandbox: Any,
    key: str,
    service: Any,
    project: Any,
    books_add_up: Any,
) -> None:
    web = Web(processes, tmp_path, code=previous)
    web.start()
    celery = [sys.executable, "-m", "celery", "-A", "storefront"]
    for name, arguments in (("worker", ["worker", "--pool", "threads"]), ("beat", ["beat", "-s", str(tmp_path / "s")])):
        command = [*celery, *arguments]
        log = tmp_path / f"old {name}.log"
        processes.start(name, command, log=log, environment={**os.environ, **workers.environment}, folder=previous)

    link = "https://instagram.com/ann"
    ordered = web.call(key=key, action="add", service=service.pk, link=link, quantity=100).result(60).json()
    bought = web.call(key=key, action="add_sms", project_id=project.pk).result(60).json()

    order, number = (Order.objects.get(pk=answer["order"]) for answer in (ordered, bought["orders"][0]))
    wait_for(lambda: Order.objects.get(pk=order.pk).status == Status.PENDING, "it is sent", seconds=60)
    sandbox.set_order(Order.objects.get(pk=order.pk).upstream_id, status="Completed", remains=0)
    sandbox.deliver_code(Order.objects.get(pk=number.pk).upstream_id, "123456", "your code is 123456")
    done = Order.objects.filter(status=Status.COMPLETED)
    wait_for(lambda: done.count() == 2, "both are followed to their ends", seconds=60)
    books_add_up(sandbox)
