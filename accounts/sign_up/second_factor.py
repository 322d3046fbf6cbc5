"""What the shop adds to allauth's second factors and passkeys."""

from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings


class MFAAdapter(DefaultMFAAdapter):
    """Names the shop by its settings: apps and passkeys belong to SITE_URL, whatever host the request names."""

    def _get_site_name(self) -> str:
        return str(settings.STORE_NAME)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": settings.STORE_NAME}
