"""Settings of mail: the server it leaves through, and who it is from."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment

LIKE = "smtp+tls://user:password@host:587"


def mail(env: Environment, *, sender: str, debug: bool) -> dict[str, Any]:
    """Return the settings by name; `sender` is whom mail is from unless FROM_EMAIL says otherwise."""
    usual = "consolemail://" if debug else "smtp://localhost:25"
    server = env.parsed("EMAIL_URL", "email_url_config", usual, like=LIKE)
    if server["EMAIL_BACKEND"].endswith(".smtp.EmailBackend") and not server["EMAIL_HOST"]:
        raise ImproperlyConfigured(f"EMAIL_URL names no server; it should look like {LIKE}.")
    from_email = env.mailbox("FROM_EMAIL", sender)
    return {
        "EMAIL_BACKEND": server["EMAIL_BACKEND"],
        "EMAIL_HOST": server["EMAIL_HOST"] or "",
        "EMAIL_PORT": server["EMAIL_PORT"] or 25,
        "EMAIL_HOST_USER": server["EMAIL_HOST_USER"] or "",
        "EMAIL_HOST_PASSWORD": server["EMAIL_HOST_PASSWORD"] or "",
        "EMAIL_USE_TLS": server.get("EMAIL_USE_TLS", False),
        "EMAIL_USE_SSL": server.get("EMAIL_USE_SSL", False),
        # django-environ gives the path of filemail:///folder without its first slash.
        "EMAIL_FILE_PATH": f"/{server['EMAIL_FILE_PATH']}" if server["EMAIL_FILE_PATH"] else None,
        "EMAIL_TIMEOUT": 20,
        "DEFAULT_FROM_EMAIL": from_email,
        "SERVER_EMAIL": from_email,
    }
