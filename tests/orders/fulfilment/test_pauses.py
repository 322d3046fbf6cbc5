"""Pauses of forwarding that begin and end at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.models import ForwardingPause

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


def test_pauses_that_begin_and_end_at_the_same_time_break_nobody():
    ends_at = time.monotonic() + 4

    def pause(_number: int) -> None:
        try:
            while time.monotonic() < ends_at:
                pause_forwarding(reason=ForwardingPause.Reason.BALANCE, now=timezone.now())
        finally:
            connection.close()

    def resume() -> None:
        try:
            while time.monotonic() < ends_at:
                for pk in ForwardingPause.objects.filter(ended_at=None).values_list("pk", flat=True):
                    end_pause(pk, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        ender = threads.submit(resume)
        list(threads.map(pause, range(3)))
        ender.result()
