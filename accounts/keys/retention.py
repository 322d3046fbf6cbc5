"""What keys spent on days long past is forgotten; the orders say what was bought."""

from datetime import datetime

from django.conf import settings

from accounts.batches import delete_in_batches
from accounts.models import ApiKeySpending


def clean_key_spending(*, now: datetime) -> int:
    """Delete the sums of old days; return how many."""
    old = ApiKeySpending.objects.filter(day__lt=(now - settings.RETENTION.key_spending).date())
    return delete_in_batches(old.order_by("day"))
