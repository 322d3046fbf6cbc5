"""How long the id of a purchase is remembered."""

import uuid
from datetime import datetime

from accounts.fast_queries.reads import Prepared
from accounts.models import User
from orders.models import Checkout

_of_request = Prepared(
    lambda: Checkout.objects.filter(request_id="", user=0).order_by().values_list("created_at"), example=("", 0)
)


def release_request_id(user: User, request_id: str, *, before: datetime) -> bool:
    """Let the customer use a request id anew that bought something before that time; return whether it was so.

    The purchase itself stays as it is, under an id that nobody knows.
    """
    # Almost always there is none, and this question costs a sale a fifth of what the statement below does.
    if not any(created_at < before for (created_at,) in _of_request.rows(request_id, user.pk)):
        return False
    old = Checkout.objects.filter(user=user, request_id=request_id, created_at__lt=before)
    return bool(old.update(request_id=f"released {uuid.uuid4().hex}"))
