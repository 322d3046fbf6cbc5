"""What keys spent on days long past is forgotten; the orders say what was bought."""

from datetime import datetime

from accounts.batches import delete_in_batches
from accounts.models import ApiKeySpending
from preferences.keeping import KEY_SPENDING_KEPT


def clean_key_spending(*, now: datetime) -> int:
    """Delete the sums of old days; return how many."""
    old = ApiKeySpending.objects.filter(day__lt=(now - KEY_SPENDING_KEPT.value).date())
    return delete_in_batches(old.order_by("day"))
