"""What the shop adds to allauth's second factors and passkeys."""

from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from accounts.encryption import decrypt, encrypt
from preferences.face import STORE_NAME


class MFAAdapter(DefaultMFAAdapter):
    """Names the shop by its settings: apps and passkeys belong to SITE_URL, whatever host the request names.

    Seeds are encrypted at rest. One in the clear is not read: whoever writes into the database, and has not the key,
    could set a factor of their own otherwise.
    """

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def _get_site_name(self) -> str:
        return str(STORE_NAME.value)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": STORE_NAME.value}
