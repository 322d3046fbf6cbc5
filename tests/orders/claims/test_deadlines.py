"""The supplier's deadline for complaints: staff is warned before it ends, once a report, and not of what is settled."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.claims.answering import answer_claims
from orders.lifecycle.complaints import complaint_deadline, warn_of_deadlines
from orders.models import GoodsClaim
from orders.preferences import COMPLAINT_HOURS
from tests.preferences.known import prefer

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def warned() -> list[str]:
    return list(Notice.objects.filter(user=None, key__startswith="claim-deadline:").values_list("key", flat=True))


def test_warning_comes_once_a_report_six_hours_before_the_end(bought, claim):
    claim(1, 2, 3)
    delivered_at = GoodsClaim.objects.first().delivered_at

    counts = [warn_of_deadlines(now=delivered_at + hours * HOUR) for hours in (17, 18.5, 19, 23)]

    assert (counts, warned()) == ([0, 3, 0, 0], [f"claim-deadline:{bought.pk}:1"])
    body = Notice.objects.get(key=warned()[0]).body
    until = (delivered_at + 24 * HOUR).astimezone(UTC)
    assert "Lines: 1-3" in body
    assert f"The supplier hears complaints until {until:%Y-%m-%d %H:%M} UTC." in body
    assert f"Upstream order: {bought.upstream_id}" in body
    assert "secret" not in body


def test_warning_when_it_is_over_or_answered_then_none(bought, claim, sam):
    claim(1, 2)
    delivered_at = GoodsClaim.objects.first().delivered_at
    answer_claims(bought.pk, kind="refunded", lines=[1], text="", actor=sam, now=timezone.now())

    assert warn_of_deadlines(now=delivered_at + 25 * HOUR) == 0
    assert warn_of_deadlines(now=delivered_at + 20 * HOUR) == 1
    assert "Lines: 2" in Notice.objects.get(key=warned()[0]).body


@pytest.mark.parametrize(("hours", "first"), [(4, 3.5), (72, 67)])
def test_deadline_is_the_owners_to_say(claim, hours, first):
    claim(1)
    delivered_at = GoodsClaim.objects.get().delivered_at
    prefer(COMPLAINT_HOURS, hours)

    assert complaint_deadline(delivered_at) == delivered_at + hours * HOUR
    assert warn_of_deadlines(now=delivered_at + (first - 2) * HOUR) == 0
    assert warn_of_deadlines(now=delivered_at + first * HOUR) == 1


def test_without_a_deadline_nobody_is_warned(claim):
    claim(1)
    prefer(COMPLAINT_HOURS, 0)

    assert complaint_deadline(datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert warn_of_deadlines(now=timezone.now() + 20 * HOUR) == 0
