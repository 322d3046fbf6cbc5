"""A task ends by itself, in threads as well: nothing else could end it."""

import pytest

from catalog.models import SyncRun
from catalog.tasks import sync_catalog


@pytest.mark.django_db(transaction=True)
def test_task_when_it_takes_longer_than_it_may_then_its_calls_end_and_the_next_round_begins_anew(sandbox, settings):
    settings.TASK_MAX_SECONDS = 0.5
    sandbox.set(latency_seconds=0.3)

    sync_catalog.apply()  # as a worker runs it

    run = SyncRun.objects.get()
    assert (run.status, "this task has taken too long" in run.error) == (SyncRun.Status.FAILED, True)
    settings.TASK_MAX_SECONDS = 60
    sandbox.set(latency_seconds=0)
    sync_catalog.apply()
    assert SyncRun.objects.filter(status=SyncRun.Status.APPLIED).exists()
