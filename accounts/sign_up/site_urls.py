"""Addresses of the shop for mails: they begin with SITE_URL, not with what a request calls its host."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def on_this_site(url: str) -> str:
    """Return the same address on the shop's own site."""
    site, asked = urlsplit(settings.SITE_URL), urlsplit(url)
    return urlunsplit((site.scheme, site.netloc, asked.path, asked.query, asked.fragment))
