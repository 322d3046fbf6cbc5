"""How long the id of a purchase is remembered."""

import uuid
from datetime import datetime

from accounts.models import User
from orders.models import Checkout


def release_request_id(user: User, request_id: str, *, before: datetime) -> bool:
    """Let the customer use a request id anew that bought something before that time; return whether it was so.

    The purchase itself stays as it is, under an id that nobody knows.
    """
    old = Checkout.objects.filter(user=user, request_id=request_id, created_at__lt=before)
    return bool(old.update(request_id=f"released {uuid.uuid4().hex}"))
