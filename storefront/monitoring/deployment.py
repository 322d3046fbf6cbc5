"""Is the shop deployed so that it holds? `manage.py doctor` and `manage.py check --deploy` both ask here.

What refuses to start stands in storefront/configuration/deployment.py; this is what is only unwise, or known only once
the shop runs.

A shop that only this machine or a private network sees is not examined.
"""

from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.checks import CheckMessage, Warning
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from preferences.face import SUPPORT_EMAIL
from storefront.configuration.deployment import host_of, is_public

NOT_PUBLIC = gettext_lazy("not examined: SITE_URL is not public")
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class Trouble(Exception):
    """Something the shop needs is missing; the text says what."""


class Unwise(Trouble):
    """The shop works, and yet somebody should look at this."""


def _proxy() -> str:
    if not settings.BEHIND_PROXY:
        raise Trouble(
            _(
                "BEHIND_PROXY is off: without a proxy that buffers, a few visitors who send slowly hold every thread "
                "of the web process. Put one in front, with time-outs, and set BEHIND_PROXY and TRUSTED_PROXY_COUNT"
            )
        )
    return _("behind %(count)d, as TRUSTED_PROXY_COUNT says") % {"count": settings.ALLAUTH_TRUSTED_PROXY_COUNT}


def _https() -> str:
    if not settings.SITE_URL.startswith("https://"):
        raise Trouble(_("SITE_URL does not begin with https://: passwords and cookies travel for everybody to read"))
    if not settings.SECURE_SSL_REDIRECT:
        raise Trouble(_("http is not sent on to https: HTTPS_REDIRECT is off"))
    if not settings.SECURE_HSTS_SECONDS:
        raise Trouble(_("browsers are not told to use https alone: HSTS_SECONDS is 0"))
    return _("http is redirected, browsers keep to https for %(days)d days") % {
        "days": settings.SECURE_HSTS_SECONDS // 86_400
    }


def staff_factors() -> str:
    """Return that all of staff have a second factor. Raises Trouble where somebody has none."""
    staff = User.objects.filter(is_staff=True, is_active=True)
    without = staff.exclude(pk__in=Authenticator.objects.filter(type__in=FACTORS).values("user_id")).count()
    if without:
        raise Trouble(
            _(
                "%(without)d of %(all)d members of staff have no second factor: until they have set one up, "
                "whoever learns their password can do it in their place, and is staff"
            )
            % {"all": staff.count(), "without": without}
        )
    words = ngettext(
        "%(count)d member of staff, with a second factor",
        "%(count)d members of staff, all with a second factor",
        staff.count(),
    )
    return words % {"count": staff.count()}


def _visits() -> str:
    if settings.SIGN_IN_AS and settings.ADMIN_HOST:
        raise Unwise(
            _("SIGN_IN_AS is on and offered to nobody: beside ADMIN_HOST staff is not signed in at the shop's own host")
        )
    return _("support may look at the shop as a customer") if settings.SIGN_IN_AS else _("off")


def _role() -> str:
    if connection.vendor != "postgresql":
        return _("SQLite has none")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        name, is_superuser, makes_roles = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p') AND pg_has_role(current_user, relowner, 'MEMBER')"
        )
        owned = cursor.fetchone()[0]
    for found, words in (
        (is_superuser, _("a superuser")),
        (makes_roles, _("one who makes roles")),
        (owned, _("the tables' owner")),
    ):
        if found:
            raise Trouble(
                _(
                    "the role %(name)s is %(words)s: whoever gets in through a page can rewrite the ledger. "
                    "Run the shop with a role that only reads and writes, and migrate with another"
                )
                % {"name": name, "words": words}
            )
    return _("%(name)s owns no table") % {"name": name}


def _static() -> str:
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return _("served as they are")
    collected = staticfiles_storage.hashed_files
    if not collected:
        raise Trouble(_("there are none: run manage.py collectstatic"))
    missing = [path for finder in get_finders() for path, _where in finder.list([]) if path not in collected]
    if missing:
        raise Trouble(
            _("%(count)d are not collected, the first is %(name)s: run manage.py collectstatic")
            % {"count": len(missing), "name": missing[0]}
        )
    return _("%(count)d collected") % {"count": len(collected)}


def mail_settings() -> str:
    """Return how mails leave. Raises Trouble where they reach nobody, or can be read on the way."""
    backend = get_connection()
    if not isinstance(backend, EmailBackend):
        raise Trouble(_("EMAIL_URL sends nothing: nobody can confirm an address or reset a password"))
    if is_public(settings.EMAIL_HOST) and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        raise Trouble(_("EMAIL_URL uses no TLS: links that reset passwords travel for everybody to read"))
    if not settings.ADMINS:
        raise Trouble(_("ADMIN_EMAILS names nobody: who is to hear of errors and of books that do not add up?"))
    if SUPPORT_EMAIL.value.endswith("@example.com"):
        raise Trouble(_("SUPPORT_EMAIL is the example's: customers write to nobody"))
    if settings.DEFAULT_FROM_EMAIL.endswith("@example.com"):
        # An address that was entered at the admin alone is none to send from: the mail server has to know it.
        raise Trouble(_("FROM_EMAIL is not set, nor SUPPORT_EMAIL in the environment: mails come from nobody"))
    return _("sent by %(server)s") % {"server": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"}


def examined_in_public(question: Callable[[], str]) -> Callable[[], str]:
    """Let a question be asked only of a shop that strangers can reach."""

    def asked() -> str:
        return question() if is_public(host_of(settings.SITE_URL)) else str(NOT_PUBLIC)

    return asked


PARTS: dict[str, Callable[[], str]] = {
    name: examined_in_public(question)
    for name, question in (
        ("proxy", _proxy),
        ("https", _https),
        ("staff", staff_factors),
        ("role", _role),
        ("static", _static),
        ("visits", _visits),
    )
}
_CHECKED = {**PARTS, "mail": examined_in_public(mail_settings)}


def check_deployment(app_configs: Sequence[Any] | None, **_options: Any) -> list[CheckMessage]:
    """Return a warning for each part that is in trouble, for `manage.py check --deploy`; it asks the database too."""
    found: list[CheckMessage] = []
    for number, (name, question) in enumerate(_CHECKED.items(), start=1):
        try:
            question()
        except Trouble as trouble:
            found.append(Warning(f"{trouble}.", id=f"storefront.W{number:03}"))
        except Exception as error:  # no database, or none that is migrated: nothing is known, which is said
            found.append(Warning(f"{name} could not be examined: {error}", id=f"storefront.W{number:03}"))
    return found
