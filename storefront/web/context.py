"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, object]:
    """The shop's name and contact. No query: the balance in the header is fetched where it is shown."""
    return {"store_name": settings.STORE_NAME, "support_email": settings.SUPPORT_EMAIL}
