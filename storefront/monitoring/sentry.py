"""Errors for Sentry, or what speaks its protocol, where SENTRY_DSN is set; without it nothing of it is imported.

What leaves is made as harmless as the mails are (`reports.py`): an event holds where it happened and what was said, but
no local variables, bodies, cookies, queries or addresses of visitors, and no secret of the settings, however it got in.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from storefront import __version__
from storefront.monitoring.reports import CREDENTIALS, ReportFilter

SHORTEST_SECRET = 6  # a shorter one would be found inside ordinary words
OF_VISITORS = ("django.security*", "cache")  # what they cause, or a line a request while Redis is away; no mails either
OF_REQUESTS = ("method",)  # what is told of a request, besides its address without the query


def begin() -> None:
    """Send errors from now on, if SENTRY_DSN is set. Raises ImproperlyConfigured when the package is missing."""
    if not settings.SENTRY_DSN:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.celery import CeleryIntegration
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but its package is not installed: pip install -r requirements/sentry.txt, or unset it."
        ) from error
    for name in OF_VISITORS:
        ignore_logger(name)
    try:
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            release=__version__,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            default_integrations=False,
            integrations=[DjangoIntegration(), CeleryIntegration(), LoggingIntegration(level=None)],
            before_send=lambda event, _hint: scrubbed_event(event),
        )
    except sentry_sdk.utils.BadDsn as error:
        raise ImproperlyConfigured("SENTRY_DSN is no address like https://key@sentry.example.com/1.") from error


def scrubbed_event(event: Any) -> Any:
    """Return the event fit to leave."""
    request = event.get("request") or {}
    told = {name: request[name] for name in OF_REQUESTS if name in request}
    if "url" in request:
        told["url"] = str(request["url"]).partition("?")[0]
    for name in ("user", "breadcrumbs", "modules"):
        event.pop(name, None)
    event["request"] = told
    return _scrubbed(event, _secrets())


def _scrubbed(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: ReportFilter.cleansed_substitute if _tells_a_secret(key) else _scrubbed(each, secrets)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_scrubbed(each, secrets) for each in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, ReportFilter.cleansed_substitute)
        return CREDENTIALS.sub(f"{ReportFilter.cleansed_substitute}@", value)
    return value


def _tells_a_secret(key: Any) -> bool:
    return isinstance(key, str) and bool(ReportFilter.hidden_settings.search(key))


def _secrets() -> list[str]:
    """Return the values of all settings whose names tell that they are secrets, the longest first."""
    found = []
    for name in dir(settings):
        if name.isupper() and _tells_a_secret(name):
            value = getattr(settings, name)
            values = value if isinstance(value, (list, tuple)) else [value]
            found += [each for each in values if isinstance(each, str) and len(each) >= SHORTEST_SECRET]
    return sorted(found, key=len, reverse=True)
