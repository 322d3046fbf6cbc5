"""What the admin pages of orders share."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from unfold.forms import BaseDialogForm

from orders.models import Order

UPSTREAM = settings.UPSTREAM_CURRENCY


def dialog(
    title: Any,
    description: Any,
    form_class: type[BaseDialogForm] = BaseDialogForm,
    *,
    money: Callable[[Order], str] | None = None,
) -> dict[str, Any]:
    """Return what an action asks before it acts; `title` is on its button as well.

    `money` says of a button of an order what it does to whose money: see `orders.admin.choices`.
    """
    return {
        "title": title,
        "description": description,
        "form_class": form_class,
        "form_submit_text": title,
        "money": money,
    }
