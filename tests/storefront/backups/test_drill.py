"""A restore, rehearsed: real workers, a dump in the middle of their work, a loss, and a shop that goes on."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.models import ForwardingPause, FoundOrder, LostAttempt, Order, RestoreGap, Status, UpstreamAssumption
from orders.reconciliation.gaps import settle_found
from orders.reconciliation.resolve import resolve_as_placed
from orders.reconciliation.restore import left_of_restore
from storefront.backups.take import take_backup
from tests.conftest import customer
from tests.orders.conftest import place
from tests.storefront.backups.conftest import empty_database, manage, moved_to
from tests.warm import WarmProcesses
from tests.workers import Workers, wait_for

__all__ = ["place"]  # a fixture
pytestmark = [
    pytest.mark.broker,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about a server's database"),
]
# As short as they may be: a claim is more than twice as long as a call, the settling time longer than a claim.
HURRIED = {
    "UPSTREAM_TIMEOUT_SECONDS": "2",
    "ORDERS_CLAIM_SECONDS": "4.2",
    "SETTLE_SECONDS": "4.5",
    "MAX_CLOCK_SKEW_SECONDS": "2",
    "RECONCILE_EVERY_SECONDS": "1",
    "PROBE_FOREIGN_IDS_EVERY_SECONDS": "1",
}


class Drill:
    """A shop whose orders each have a link of their own, so that whatever is bought twice shows."""

    def __init__(self, place: Callable[..., Order], sandbox: Any, folder: Path, processes: WarmProcesses) -> None:
        self.sandbox = sandbox
        self._place, self._folder, self._processes = place, folder, processes
        self._links = 0
        self.promised: dict[int, str] = {}  # link by number, as customers were told them

    def buy(self, count: int, user: User) -> list[int]:
        numbers = []
        for _each in range(count):
            self._links += 1
            link = f"https://instagram.com/{self._links}"
            number = self._place(user=user, quantity=100, link=link).pk
            assert number not in self.promised, "a number was given twice"
            self.promised[number] = link
            numbers.append(number)
        return numbers

    def staff(self) -> list[Any]:
        """Start a worker and a beat."""
        workers = Workers(self._processes, self._folder, **HURRIED)
        return [workers.worker(f"worker-{self._links}"), workers.beat()]

    def bought(self) -> Counter[str]:
        return Counter(order["link"] for order in self.sandbox.orders)


def states() -> Counter[str]:
    return Counter(Order.objects.values_list("status", flat=True))


@pytest.fixture
def drill(place: Any, sandbox: Any, tmp_path: Path, settings: Any) -> Iterator[Drill]:
    settings.SETTLE_SECONDS, settings.UPSTREAM_TIMEOUT_SECONDS = 4.5, 2
    with WarmProcesses() as processes:
        yield Drill(place, sandbox, tmp_path, processes)
        processes.kill()


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.long)])
def test_drill_dump_in_the_middle_go_on_lose_everything_and_restore(
    drill: Drill, backups, identity, sandbox, client_upstream, tmp_path: Path, times: int
) -> None:
    kim, sam = customer("kim@example.com", money="500"), customer("sam@example.com", is_staff=True, is_superuser=True)
    first = drill.staff()
    drill.buy(5 * times, kim)
    wait_for(lambda: states()[Status.PENDING] == 5 * times, "the first are sent")
    with transaction.atomic():  # it waits at the backup and is not sent before the loss: nothing upstream is its own
        Order.objects.filter(pk=drill.buy(1, kim)[0]).update(not_before=timezone.now() + timedelta(hours=1))

    sandbox.fail_next("slow", action="add", seconds=1, times=8 * times)
    drill.buy(8 * times, kim)
    wait_for(lambda: states()[Status.SENDING] >= 3, "some are being sent")
    taken = take_backup(now=timezone.now())
    wait_for(lambda: states()[Status.PENDING] == 13 * times, "all are sent")
    drill.buy(6 * times, kim)  # of these the backup knows nothing
    wait_for(lambda: states()[Status.PENDING] == 19 * times, "these are sent, too")
    sandbox.fail_next("slow", action="add", seconds=1.2, times=2)
    drill.buy(2, kim)
    wait_for(lambda: states()[Status.SENDING] == 2, "the last are being sent")
    for child in first:
        child.process.kill()
        child.process.wait()
    before = dict(drill.promised)

    with empty_database(tmp_path) as url:
        done = manage("restore", f"{taken.place}/{taken.name}", "--identity", str(identity[0]), url=url)
        assert done.returncode == 0, done.stderr
        assert "none of the numbers before it is given out again" in done.stdout
        with moved_to(url):
            _goes_on(drill, kim, sam, client_upstream, before, 6 * times + 2)


def _goes_on(drill: Drill, kim: User, sam: User, client: Any, before: dict[int, str], lost: int) -> None:
    waiting = states()[Status.UNKNOWN]
    assert waiting >= 3
    assert ForwardingPause.objects.get(ended_at=None).reason == ForwardingPause.Reason.RESTORED
    drill.staff()
    wait_for(lambda: FoundOrder.objects.count() >= lost, "what was forgotten is found while forwarding is paused")
    assert not UpstreamAssumption.objects.exists()

    call_command("resume", stdout=(said := StringIO()))
    assert "are looked into" in said.getvalue()
    numbers = drill.buy(3, kim)
    assert min(numbers) > max(before) + 1_000_000
    wait_for(lambda: not RestoreGap.objects.filter(finished_at=None), "later orders end the gap")
    wait_for(lambda: Order.objects.filter(pk__in=numbers, status=Status.PENDING).count() == 3, "new orders are sent")

    # What the supplier's own list shows: whose link an order there has.
    links = {str(order["id"]): order["link"] for order in drill.sandbox.orders}
    here = {order.link: order.pk for order in Order.objects.filter(status=Status.UNKNOWN)}
    for found in FoundOrder.objects.open():
        if (link := links[found.upstream_id]) in here:
            resolve_as_placed(here[link], upstream_id=found.upstream_id, actor=sam, client=client, now=timezone.now())
        else:
            assert settle_found(found.pk, note=link, actor=sam, now=timezone.now())
    wait_for(lambda: left_of_restore().unknown == 0, "the others are known by their windows", seconds=20)
    wait_for(lambda: states() == {Status.PENDING: Order.objects.count()}, "all of them are with the supplier")

    bought = drill.bought()
    assert set(bought.values()) == {1}, "something was bought twice"
    assert set(bought) == set(drill.promised.values())
    assert not UpstreamAssumption.objects.exists()
    wait_for(lambda: left_of_restore().is_nothing, "what staff decided is noted")
    findings = audit(client=client, now=timezone.now(), everything=True)
    assert findings.problems == []
    forgotten = set(before) - set(Order.objects.values_list("pk", flat=True))
    assert len(forgotten) == lost
    assert FoundOrder.objects.of_nobody().count() == lost
    assert not LostAttempt.objects.unsettled().exists()
    assert dict(findings.figures)["upstream: found after a restore, of no order here"].startswith(f"{0.15 * lost:.2f}")
