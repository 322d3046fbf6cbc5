"""What processes count is added up, whoever comes and goes, and whatever becomes of Redis."""

import json
import os
import subprocess
import sys
import time

import pytest
from django_redis import get_redis_connection
from prometheus_client import Counter

from storefront.demo.processes import free_port
from storefront.monitoring import shared_counts
from tests.storefront.settings_source import ROOT

PRESSED = Counter("django_test_pressed", "Of this test alone.", ["button"])

# Another process, and a copy of it, each of which counts and tells.
OTHERS = """
import os, django
django.setup()
from prometheus_client import Counter
from storefront.monitoring import shared_counts
PRESSED = Counter("django_test_pressed", "Of this test alone.", ["button"])
PRESSED.labels("red").inc(2)
shared_counts.push()
if os.fork() == 0:
    PRESSED.labels("red").inc(5)
    shared_counts.push()
    os._exit(0)
os.wait()
shared_counts.start("worker")
shared_counts.stop()
"""


def told(button: str) -> float | None:
    """Return what all processes pressed this button, None while nobody told."""
    for metric in shared_counts.counted_by_all():
        for sample in metric.samples:
            if sample.name == "django_test_pressed_total" and sample.labels == {"button": button}:
                return sample.value
    return None


def test_counts_of_several_processes_are_added_up():
    PRESSED.labels("red").inc(1)
    shared_counts.push()
    before = told("red")

    subprocess.run([sys.executable, "-c", OTHERS], cwd=ROOT, env=dict(os.environ), timeout=120, check=True)

    assert before is not None
    assert told("red") == before + 2 + 5  # what was counted before the copy was made is told once
    shared_counts.push()
    assert told("red") == before + 7  # nothing new, nothing told


def test_counts_when_redis_was_emptied_begin_again_and_all_names_are_there_at_once():
    PRESSED.labels("blue").inc(3)
    PRESSED.labels("green")
    shared_counts.push()
    assert told("blue") is not None

    get_redis_connection("default").delete(shared_counts.COUNTED, shared_counts.DESCRIBED)
    PRESSED.labels("blue").inc(2)
    shared_counts.push()

    assert (told("blue"), told("green")) == (2, 0)


def test_counts_when_redis_was_away_lose_nothing(settings):
    PRESSED.labels("white")
    shared_counts.push()
    before = told("white")
    caches = settings.CACHES
    away = json.loads(json.dumps(caches))
    away["default"]["LOCATION"] = f"redis://127.0.0.1:{free_port()}/0"

    PRESSED.labels("white").inc(4)
    settings.CACHES = away
    with pytest.raises(Exception, match="refused"):
        shared_counts.push()
    settings.CACHES = caches
    shared_counts.push()

    assert told("white") == before + 4


def test_processes_when_one_was_not_heard_of_for_long_are_without_it():
    server = get_redis_connection("default")
    for name, seen_at in (("worker:a:1", time.time()), ("worker:b:1", time.time() - 60)):
        told_of = {"role": "worker", "began_at": 1.0, "seen_at": seen_at, "memory_bytes": 1}
        server.hset(shared_counts.PROCESSES, name, json.dumps(told_of))

    assert len(shared_counts.processes()) == 1
    assert server.hkeys(shared_counts.PROCESSES) == [b"worker:a:1"]
