"""What every template may use."""

from django.http import HttpRequest

from preferences.face import STORE_NAME, SUPPORT_EMAIL


def shop(request: HttpRequest) -> dict[str, object]:
    """The shop's name and contact. No query: the balance in the header is fetched where it is shown."""
    return {"store_name": STORE_NAME.value, "support_email": SUPPORT_EMAIL.value}
