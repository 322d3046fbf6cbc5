"""Which API key a command means."""

from django.core.management.base import CommandError

from accounts.keys.api_keys import SHOWN_CHARACTERS
from accounts.models import ApiKey


def find_key(text: str) -> ApiKey:
    """Return the key of this number or with this beginning. Raises CommandError for none and for several."""
    keys = ApiKey.objects.select_related("user")
    # A whole key may be given too: no more of it is looked at than the list shows.
    by_text = keys.filter(prefix=text[:SHOWN_CHARACTERS]) if len(text) >= SHOWN_CHARACTERS else keys.none()
    found = list(keys.filter(pk=int(text)) if text.isdecimal() and len(text) < SHOWN_CHARACTERS else by_text)
    if len(found) != 1:
        raise CommandError(f"{'Several keys begin' if found else 'No key begins'} with {text}.")
    return found[0]
