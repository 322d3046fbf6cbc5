"""Settings of Django and allauth that nothing else reads: how people sign up, sign in, and prove who they are."""

from typing import Any

from storefront.configuration.environment import Environment
from storefront.configuration.sign_in_forms import ACCOUNT_FORMS, MFA_FORMS

# Whoever confirmed who they are may do what matters for so long without being asked again.
FRESH_SECONDS = 600
# By account and network wrong passwords are counted in the database (accounts/security/wrong_tries.py). These come on
# top: in Redis, or in the process while Redis is away (storefront/web/cache.py).
RATE_LIMITS = {
    "login": "240/m/ip",
    # By its key alone: a second factor is asked for after the right password, and its neighbours have done nothing.
    "login_failed": "5/5m/key",
    "reset_password": "60/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
_DJANGOS = "django.contrib.auth.password_validation"
PASSWORD_VALIDATORS = [
    {"NAME": f"{_DJANGOS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_DJANGOS}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_DJANGOS}.CommonPasswordValidator"},
    {"NAME": "accounts.security.passwords.BreachedPasswordValidator"},
    {"NAME": "accounts.security.passwords.OwnNamesValidator"},
]


def signing_in(env: Environment, *, site_url: str) -> dict[str, Any]:
    """Return the settings by name."""
    return {
        "AUTH_PASSWORD_VALIDATORS": PASSWORD_VALIDATORS,
        "ACCOUNT_ADAPTER": "privacy.sign_in.AccountAdapter",
        "ACCOUNT_FORMS": ACCOUNT_FORMS,
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*", "password2*"],
        "ACCOUNT_UNIQUE_EMAIL": True,
        "ACCOUNT_PREVENT_ENUMERATION": True,
        "ACCOUNT_EMAIL_VERIFICATION": env.choice("EMAIL_VERIFICATION", "mandatory", "optional", "none"),
        "ACCOUNT_EMAIL_NOTIFICATIONS": True,
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": site_url.partition(":")[0],
        "ACCOUNT_SESSION_REMEMBER": True,
        "ACCOUNT_REAUTHENTICATION_REQUIRED": True,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": FRESH_SECONDS,
        "ACCOUNT_RATE_LIMITS": RATE_LIMITS,
        "ALLAUTH_RATE_LIMIT_IPV6_PREFIX": 64,
        "MFA_ADAPTER": "accounts.sign_up.second_factor.MFAAdapter",
        "MFA_FORMS": MFA_FORMS,
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
    }
