"""Settings, all of them read from the environment (or `.env`); `.env.example` documents every variable."""

import os
from decimal import Decimal
from pathlib import Path

from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

from storefront.configuration import deployment, quality
from storefront.configuration.admin_theme import admin_theme
from storefront.configuration.background_work import background_work
from storefront.configuration.backups import backups
from storefront.configuration.catalog_languages import catalog_languages
from storefront.configuration.csp import PAGES_POLICY
from storefront.configuration.database import databases, migration_database
from storefront.configuration.environment import Environment
from storefront.configuration.languages import language_code, languages
from storefront.configuration.logs import logging_config
from storefront.configuration.mail import mail
from storefront.configuration.payment_terms import payment_terms
from storefront.configuration.privacy import privacy
from storefront.configuration.retention import retention
from storefront.configuration.schedule import beat_schedule
from storefront.configuration.signing_in import signing_in
from storefront.configuration.traces import traces

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(Path(os.environ.get("DOTENV", BASE_DIR / ".env")))

# --- Core -----------------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = deployment.secret_key(env, debug=DEBUG)
# Keys used before: what they signed (sessions, links in mails) still counts, but nothing new is signed with them.
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS", [])
# Newest first: the first one encrypts, every one of them opens. A developer's may be made from SECRET_KEY.
FIELD_ENCRYPTION_KEYS = env.encryption_keys("FIELD_ENCRYPTION_KEYS", made_from=SECRET_KEY if DEBUG else "")
SITE_URL = deployment.site_url(env)
ALLOWED_HOSTS = deployment.allowed_hosts(env, debug=DEBUG)
CSRF_TRUSTED_ORIGINS = deployment.trusted_origins(env)
ROOT_URLCONF = "storefront.urls"
WSGI_APPLICATION = "storefront.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
# The admin may live at a host of its own: see docs/operations.md. ADMIN_URL is where mails to staff lead.
ADMIN_HOST, ADMIN_URL = deployment.admin_host(env, site_url=SITE_URL)
ALLOWED_HOSTS += [ADMIN_HOST] if ADMIN_HOST else []

INSTALLED_APPS = [
    "storefront",
    "privacy",
    "api",
    "support",
    "sms",
    "orders",
    "jobs",
    "notifications",
    "catalog",
    "wallet",
    "accounts",
    "preferences",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_prometheus",
    "template_partials.apps.SimpleAppConfig",
]

MIDDLEWARE = [
    "storefront.web.headers.HeadersMiddleware",
    "storefront.web.bodies.BodyMiddleware",
    "storefront.monitoring.health.HealthMiddleware",
    "storefront.metrics.middleware.MetricsMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "storefront.web.headers.AdminHostMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "storefront.web.middleware.RequestLogMiddleware",
    "storefront.web.middleware.ApiMiddleware",
    "storefront.offline.middleware.WithoutCookiesMiddleware",
    "storefront.web.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "storefront.web.middleware.AdminPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "storefront.face.languages.OfferedLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.security.signed_in.SignedInMiddleware",
    "storefront.web.sign_in_as.SignInAsMiddleware",
    "storefront.web.closed_shop.ClosedShopMiddleware",
    "support.documents.gate.TermsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.security.fresh_sign_in.FreshSignInMiddleware",
    "accounts.security.staff_factors.StaffFactorsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

# The partials loader wraps the usual ones, so that `page.html#part` names a part of a template.
_LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "storefront.web.context.shop",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                *("accounts.templatetags.money", "accounts.templatetags.moments"),
                "preferences.templatetags.face",
                "storefront.templatetags.components",
                "template_partials.templatetags.partials",
            ],
        },
    }
]

# --- Database, cache, sessions --------------------------------------------------------------------------------------
DATABASES = databases(env, BASE_DIR)
DATABASE_ROUTERS = ["catalog.caching.replica.CatalogRouter"] if "replica" in DATABASES else []
MIGRATION_DATABASE = migration_database(env)
# PostgreSQL only; 0: a migration waits for a table as long as it takes, and everybody else behind it.
MIGRATION_LOCK_TIMEOUT_SECONDS = env.seconds("MIGRATION_LOCK_TIMEOUT_SECONDS", 5, minimum=0)

REDIS_URL = env.redis_url("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "storefront.web.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shop",
        # A lost Redis makes pages slower, it does not take them down.
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
DJANGO_REDIS_LOGGER = "cache"
SESSION_ENGINE = "accounts.security.session_store"
# Not while templates are being edited: they are no part of what a cached page is known by.
PAGE_CACHE_SECONDS = env.seconds("PAGE_CACHE_SECONDS", 0 if DEBUG else 300, minimum=0)

# --- Languages and time ---------------------------------------------------------------------------------------------
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = languages(LOCALE_PATHS[0])
LANGUAGE_CODE = language_code(env, LANGUAGES)
FORMAT_MODULE_PATH = "storefront.formats"
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")

# --- The shop -------------------------------------------------------------------------------------------------------
STORE_NAME = env.text("STORE_NAME", "Demo shop" if env.flag("DEMO", False) else "Storefront")
STORE_CURRENCY = env.currency("STORE_CURRENCY", "USD")
SUPPORT_EMAIL = env.mailbox("SUPPORT_EMAIL", "support@example.com")
SECURITY_CONTACT = deployment.security_contact(env)
# Above this, moves by hand for one wallet within a day need a second member of staff; 0: only for one's own wallet.
ADJUST_APPROVAL_MICROS = env.number("ADJUST_APPROVAL_MICROS", 100_000_000)
DEFAULT_MARKUP_PERCENT = env.decimal("DEFAULT_MARKUP_PERCENT", "25")
FLOOR_MARGIN_PERCENT = env.decimal("FLOOR_MARGIN_PERCENT", "0")
# A customer gets this share of what the shop earns from those they referred, for so long after the sign-up; 0: nothing.
REFERRAL_PERCENT = env.decimal("REFERRAL_PERCENT", "0", maximum=Decimal(100))
REFERRAL_DAYS = env.number("REFERRAL_DAYS", 365, minimum=1)
DEFAULT_RATE_PER = int(env.choice("DEFAULT_RATE_PER", "1000", "1"))
GOODS_DELIVERY = env.choice("GOODS_DELIVERY", "vault", "email")

# --- Upstream -------------------------------------------------------------------------------------------------------
SANDBOX_URL = env.url("SANDBOX_URL", "http://127.0.0.1:8765/api/v2")
SANDBOX_KEY = "sandbox-key"  # the public key of the stand-in server, not a secret
UPSTREAM_URL = env.url("UPSTREAM_URL", SANDBOX_URL if DEBUG else "")
UPSTREAM_KEY = env.text("UPSTREAM_KEY", SANDBOX_KEY if DEBUG and UPSTREAM_URL == SANDBOX_URL else "")
UPSTREAM_CURRENCY = env.currency("UPSTREAM_CURRENCY", "USD")
UPSTREAM_EXCHANGE_RATE = env.decimal("UPSTREAM_EXCHANGE_RATE", "0")
if UPSTREAM_EXCHANGE_RATE == 0:
    if UPSTREAM_CURRENCY != STORE_CURRENCY:
        raise ImproperlyConfigured(
            f"UPSTREAM_EXCHANGE_RATE is not set: how many {STORE_CURRENCY} is one {UPSTREAM_CURRENCY}?"
        )
    UPSTREAM_EXCHANGE_RATE = Decimal(1)
if UPSTREAM_CURRENCY == STORE_CURRENCY and UPSTREAM_EXCHANGE_RATE != 1:
    raise ImproperlyConfigured(f"UPSTREAM_EXCHANGE_RATE is not 1, but {STORE_CURRENCY} is the currency on both sides.")
# A callable that knows the rate of today; see catalog.pricing.exchange_rate_entry. Empty: the admin enters it.
EXCHANGE_RATE_SOURCE = env.dotted_path("EXCHANGE_RATE_SOURCE")
UPSTREAM_TIMEOUT_SECONDS = env.seconds("UPSTREAM_TIMEOUT_SECONDS", 30)
UPSTREAM_SYNC_TIMEOUT_SECONDS = env.seconds("UPSTREAM_SYNC_TIMEOUT_SECONDS", 120)
UPSTREAM_MAX_PER_SECOND = env.number("UPSTREAM_MAX_PER_SECOND", 20, minimum=1)
UPSTREAM_MAX_IN_FLIGHT = env.number("UPSTREAM_MAX_IN_FLIGHT", 8, minimum=1)
SYNC_MAX_VANISHED_PERCENT = env.number("SYNC_MAX_VANISHED_PERCENT", 30, minimum=0, maximum=100)
SYNC_MAX_SET_ASIDE_PERCENT = env.number("SYNC_MAX_SET_ASIDE_PERCENT", 5, minimum=0, maximum=100)
SYNC_MAX_REPRICED_PERCENT = env.number("SYNC_MAX_REPRICED_PERCENT", 20, minimum=0, maximum=100)
SYNC_REPRICED_FACTOR = env.decimal("SYNC_REPRICED_FACTOR", "2")
if SYNC_REPRICED_FACTOR <= 1:
    raise ImproperlyConfigured("SYNC_REPRICED_FACTOR should be above 1: rates that moved by less are not suspicious.")
SYNC_FULL_EVERY_SECONDS = env.seconds("SYNC_FULL_EVERY_SECONDS", 24 * 3600)
CATALOG_LANGUAGES = catalog_languages(env, LANGUAGES)
SYNC_TRANSLATIONS_EVERY_SECONDS = env.seconds("SYNC_TRANSLATIONS_EVERY_SECONDS", 24 * 3600)
STOCK_CACHE_SECONDS = env.seconds("STOCK_CACHE_SECONDS", 15)
STOCK_TIMEOUT_SECONDS = env.seconds("STOCK_TIMEOUT_SECONDS", 2)

# --- Orders ---------------------------------------------------------------------------------------------------------
ORDERS_CLAIM_SECONDS = env.seconds("ORDERS_CLAIM_SECONDS", 3 * UPSTREAM_TIMEOUT_SECONDS)
if ORDERS_CLAIM_SECONDS <= 2 * UPSTREAM_TIMEOUT_SECONDS:
    raise ImproperlyConfigured("ORDERS_CLAIM_SECONDS should be more than twice UPSTREAM_TIMEOUT_SECONDS.")
ORDERS_WAKE_SECONDS = env.seconds("ORDERS_WAKE_SECONDS", 10)
ORDERS_POLL_MIN_SECONDS = env.seconds("ORDERS_POLL_MIN_SECONDS", 15)
ORDERS_POLL_MAX_SECONDS = env.seconds("ORDERS_POLL_MAX_SECONDS", 3600)
env.ordered(("ORDERS_POLL_MIN_SECONDS", ORDERS_POLL_MIN_SECONDS), ("ORDERS_POLL_MAX_SECONDS", ORDERS_POLL_MAX_SECONDS))
ORDERS_POLL_RETRY_SECONDS = env.seconds("ORDERS_POLL_RETRY_SECONDS", 30)
ORDERS_POLL_CLAIM_SECONDS = env.seconds("ORDERS_POLL_CLAIM_SECONDS", 2 * UPSTREAM_TIMEOUT_SECONDS + 60)
ORDERS_POLL_BATCH = env.number("ORDERS_POLL_BATCH", 1000, minimum=1)
SETTLE_SECONDS = env.seconds("SETTLE_SECONDS", 600)
if SETTLE_SECONDS <= ORDERS_CLAIM_SECONDS:
    raise ImproperlyConfigured("SETTLE_SECONDS should be more than ORDERS_CLAIM_SECONDS.")
MAX_CLOCK_SKEW_SECONDS = env.seconds("MAX_CLOCK_SKEW_SECONDS", min(30, SETTLE_SECONDS / 2), minimum=0)
if MAX_CLOCK_SKEW_SECONDS > SETTLE_SECONDS / 2:
    raise ImproperlyConfigured("MAX_CLOCK_SKEW_SECONDS should be at most half of SETTLE_SECONDS.")
RECONCILE_MAX_WINDOW = env.number("RECONCILE_MAX_WINDOW", 300, minimum=1)
RECONCILE_LOOK_AHEAD = env.number("RECONCILE_LOOK_AHEAD", 20, minimum=1)
LATE_CHANGE_DAYS = env.number("LATE_CHANGE_DAYS", 7)
LATE_CHECK_SHARE = env.decimal("LATE_CHECK_SHARE", "0.1", minimum=Decimal("0.01"), maximum=Decimal(1))
QUALITY = quality.terms(env)
RETENTION = retention(env, late_change_days=LATE_CHANGE_DAYS)
SMS_POLL_SECONDS = env.seconds("SMS_POLL_SECONDS", 3)
SMS_POLL_MAX_SECONDS = env.seconds("SMS_POLL_MAX_SECONDS", 20)
env.ordered(("SMS_POLL_SECONDS", SMS_POLL_SECONDS), ("SMS_POLL_MAX_SECONDS", SMS_POLL_MAX_SECONDS))
SMS_GRACE_SECONDS = env.seconds("SMS_GRACE_SECONDS", 60)
SMS_LIFETIME_SECONDS = env.seconds("SMS_LIFETIME_SECONDS", 1200)
SMS_REPLACE_AFTER_SECONDS = env.seconds("SMS_REPLACE_AFTER_SECONDS", 120)
SMS_CONTENT_KEEP_DAYS = env.number("SMS_CONTENT_KEEP_DAYS", 30, minimum=1)
# What one customer may have, unless staff set limits of their own for them.
SMS_MAX_OPEN_NUMBERS = env.number("SMS_MAX_OPEN_NUMBERS", 20)
SMS_MAX_NUMBERS_PER_DAY = env.number("SMS_MAX_NUMBERS_PER_DAY", 200)
# How often codes came lately, counted over so many days and told from so many numbers on; who let a number go sooner
# than this has not given it a chance.
SMS_SUCCESS_DAYS = env.number("SMS_SUCCESS_DAYS", 7, minimum=1)
SMS_SUCCESS_MIN_OBSERVED = env.number("SMS_SUCCESS_MIN_OBSERVED", 20, minimum=1)
SMS_FAIR_CHANCE_SECONDS = env.seconds("SMS_FAIR_CHANCE_SECONDS", 120, minimum=0)
PRICE_DIGEST_EVERY_SECONDS = env.seconds("PRICE_DIGEST_EVERY_SECONDS", 86_400)
# What a page promised is kept for so long, unless that would cost the shop more than this by customer and service.
PRICE_LOCK_SECONDS = env.seconds("PRICE_LOCK_SECONDS", 600, minimum=60)
PRICE_LOCK_MAX_LOSS = env.decimal("PRICE_LOCK_MAX_LOSS", "1.00")
AUDIT_TOLERANCE = env.decimal("AUDIT_TOLERANCE", "0.01")
BALANCE_LOW_HOURS = env.number("BALANCE_LOW_HOURS", 24)
MARGIN_HOLD_HOURS = env.number("MARGIN_HOLD_HOURS", 24)
UNCONFIRMED_MAX_COST = env.decimal("UNCONFIRMED_MAX_COST", "5")
CHARGE_TOLERANCE_PERCENT = env.decimal("CHARGE_TOLERANCE_PERCENT", "1")

# --- Payments -------------------------------------------------------------------------------------------------------
# A gateway exists once everything it needs is set.
STRIPE_API_URL = "https://api.stripe.com"
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", "")
BTCPAY_URL = env.url("BTCPAY_URL", "")
BTCPAY_STORE_ID = env.text("BTCPAY_STORE_ID", "")
BTCPAY_API_KEY = env.text("BTCPAY_API_KEY", "")
BTCPAY_WEBHOOK_SECRET = env.text("BTCPAY_WEBHOOK_SECRET", "")
MANUAL_TRANSFER_DETAILS = env.text("MANUAL_TRANSFER_DETAILS", "").replace("\\n", "\n")
PAYMENT_TERMS = payment_terms(env)
# An order that waits for its payment keeps the price its page promised for so long.
PENDING_CHECKOUT_HOURS = env.number("PENDING_CHECKOUT_HOURS", 24)
# On receipts: who sells, and the tax in what was paid.
SELLER_DETAILS = env.text("SELLER_DETAILS", "").replace("\\n", "\n")
RECEIPT_TAX_PERCENT = env.decimal("RECEIPT_TAX_PERCENT", "0", maximum=Decimal(100))

# --- The API --------------------------------------------------------------------------------------------------------
API_MAX_KEYS = env.number("API_MAX_KEYS", 20, minimum=1)
# 0: as many as they like.
API_CALLS_PER_MINUTE = env.number("API_CALLS_PER_MINUTE", 600)
API_CALLS_PER_MINUTE_PER_ADDRESS = env.number("API_CALLS_PER_MINUTE_PER_ADDRESS", 1200)
# Of the threads of one web process, so that one key never holds all of them.
API_CALLS_AT_ONCE = env.number("API_CALLS_AT_ONCE", 3, minimum=1)
API_REQUEST_ID_KEEP_DAYS = env.number("API_REQUEST_ID_KEEP_DAYS", 30, minimum=1)
# Long lists of services, ready to be sent; the processes of one machine share it.
API_CACHE_DIR = env.folder("API_CACHE_DIR", BASE_DIR / "var/api")
API_TEST_BALANCE = env.decimal("API_TEST_BALANCE", "1000")

# --- Webhooks -------------------------------------------------------------------------------------------------------
API_MAX_WEBHOOKS = env.number("API_MAX_WEBHOOKS", 10)
WEBHOOK_KEEP_DAYS = env.number("WEBHOOK_KEEP_DAYS", 30, minimum=2)
WEBHOOK_MAX_IN_FLIGHT = env.number("WEBHOOK_MAX_IN_FLIGHT", 12, minimum=2)
WEBHOOK_ALLOW_HTTP = env.flag("WEBHOOK_ALLOW_HTTP", DEBUG)
WEBHOOK_ALLOWED_PRIVATE_NETWORKS = env.networks("WEBHOOK_ALLOWED_PRIVATE_NETWORKS")

# --- Background work ------------------------------------------------------------------------------------------------
BACKUPS = backups(env)
_FETCHES = {"fetches_exchange_rate": bool(EXCHANGE_RATE_SOURCE), "fetches_translations": bool(CATALOG_LANGUAGES)}
CELERY_BEAT_SCHEDULE = beat_schedule(env, SYNC_FULL_EVERY_SECONDS, backs_up=bool(BACKUPS.to), **_FETCHES)
globals().update(background_work(env, REDIS_URL))
PULSE_FILE = env.text("PULSE_FILE", "")  # touched as long as the main loop of worker or beat turns
# Celery's own limits end processes, and ours work in threads: see upstream/limits/time_left.py.
TASK_MAX_SECONDS = env.seconds("TASK_MAX_SECONDS", 1800, minimum=1)

# --- Accounts -------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
PRIVACY = privacy(env, BASE_DIR)
STAFF_SESSION_SECONDS = env.seconds("STAFF_SESSION_SECONDS", 28_800, minimum=60)
STAFF_SESSION_IDLE_SECONDS = env.seconds("STAFF_SESSION_IDLE_SECONDS", 1800, minimum=60)  # without a page
SIGN_IN_AS = env.flag("SIGN_IN_AS", False)  # whether support may look at the shop as a customer sees it
globals().update(signing_in(env, site_url=SITE_URL))

# --- E-mail ---------------------------------------------------------------------------------------------------------
globals().update(mail(env, sender=SUPPORT_EMAIL, debug=DEBUG))
ADMINS = [("Admin", address) for address in env.mailboxes("ADMIN_EMAILS")]

# --- Static files ---------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.folder("STATIC_ROOT", BASE_DIR / "staticfiles")
_FILES_AS_THEY_ARE = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _FILES_AS_THEY_ARE if DEBUG else "storefront.web.staticfiles.BundledStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- Security -------------------------------------------------------------------------------------------------------
_HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
# So many proxies of our own stand in front, each of which appends the address it was called from to X-Forwarded-For.
# With 0 nothing a visitor sends is trusted, and the address is that of whoever connects.
BEHIND_PROXY, ALLAUTH_TRUSTED_PROXY_COUNT = deployment.trusted_proxies(env)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = env.flag("HTTPS_REDIRECT", _HTTPS)  # machines that ask for health are answered before it
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000 if _HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_SUBDOMAINS", False)
# Whether subdomains and browsers' own lists follow is the owner's to decide: neither can be taken back for months.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
deployment.refuse_open_connections(upstream_url=UPSTREAM_URL, btcpay_url=BTCPAY_URL)
if DEBUG:
    deployment.refuse_debug_in_public(SITE_URL, ALLOWED_HOSTS, UPSTREAM_URL, STRIPE_SECRET_KEY, BTCPAY_URL)
DEMO, DEMO_PAYMENTS = deployment.demo(env, SITE_URL, ALLOWED_HOSTS, UPSTREAM_URL, STRIPE_SECRET_KEY, BTCPAY_URL)
if not DEBUG:
    deployment.refuse_unserved_host(SITE_URL, ALLOWED_HOSTS)
BEGINS_CLOSED = deployment.is_public(deployment.host_of(SITE_URL))  # a new shop, until its owner opens it
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # of any body; other limits, and files: storefront/web/bodies.py
DATA_UPLOAD_MAX_NUMBER_FILES = 10  # more than any form takes: a sixth file of a question is refused in words
FILE_UPLOAD_HANDLERS = ["storefront.web.bodies.RegisteredFilesOnly", *global_settings.FILE_UPLOAD_HANDLERS]
CONTENT_SECURITY_POLICY = {"DIRECTIVES": PAGES_POLICY}

# Who may read /metrics from elsewhere; empty: only this machine.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")

# --- Logs -----------------------------------------------------------------------------------------------------------
_LEVEL = env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
LOGGING = logging_config(level=_LEVEL, as_json=not DEBUG)
LOGGING_CONFIG = "storefront.configuration.logs.configure"
SENTRY_DSN = env.text("SENTRY_DSN", "")
TRACES = traces(env)
DEFAULT_EXCEPTION_REPORTER_FILTER = "storefront.monitoring.reports.ReportFilter"

# --- Admin ----------------------------------------------------------------------------------------------------------
UNFOLD = admin_theme(shop_url=SITE_URL if ADMIN_HOST else "/")
SET_IN_ENVIRONMENT = env.explicit  # what is set here, no preference changes
