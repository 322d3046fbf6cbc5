"""Whether the text of an API key still opens anything."""

from accounts.keys.api_keys import InvalidApiKey, find_api_key


def opens(text: str) -> bool:
    """Ask as the API's handler does."""
    try:
        find_api_key(text, address="203.0.113.9")
    except InvalidApiKey:
        return False
    return True
