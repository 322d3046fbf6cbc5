"""What the admin pages of orders share."""

from typing import Any

from django.conf import settings
from unfold.forms import BaseDialogForm

UPSTREAM = settings.UPSTREAM_CURRENCY


def dialog(title: Any, description: Any, form_class: type[BaseDialogForm] = BaseDialogForm) -> dict[str, Any]:
    """Return what an action asks before it acts; `title` is on its button as well."""
    return {"title": title, "description": description, "form_class": form_class, "form_submit_text": title}
