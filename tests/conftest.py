"""What every test may ask for: the sandbox upstream, Ann and Ben who buy, Sam who works here, one service."""

import gc
import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.signals import user_logged_in
from django.db import connections
from django.utils import timezone, translation

from tests.emptying import empty_quickly

if TYPE_CHECKING:
    from accounts.models import User
    from catalog.models import Service
    from upstream.client import Client
    from upstream.sandbox.process import Sandbox

PASSWORD = "correct horse battery"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DATABASES = Path(__file__).resolve().parent.parent / "var" / "test"


def pytest_configure() -> None:
    from catalog.caching import version

    # Hashing a password as slowly as production does would be half of the suite's time.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Templates are read again for every page only while somebody edits them; the admin's take a second each.
    loaders = django_settings.TEMPLATES[0]["OPTIONS"]["loaders"]
    loaders[:] = [(name, [("django.template.loaders.cached.Loader", inner)]) for name, inner in loaders]
    # As in production: whatever a test changes has to show on the next page.
    django_settings.PAGE_CACHE_SECONDS = 300
    # Else every test client would look through all static files first.
    django_settings.WHITENOISE_AUTOREFRESH = True
    # A page beside a whole suite may take longer than a tenth of a second, and would ask for the version once more.
    version.PROCESS_SECONDS = 2
    # How long it takes to think of an example says how busy the machine is.
    hypothesis.settings.register_profile("shop", suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("shop")
    empty_quickly()
    user_logged_in.connect(confirmed_a_moment_ago)


def confirmed_a_moment_ago(sender: Any, request: Any, user: "User", **_further: Any) -> None:
    """Let whoever a test signs in with `force_login` have confirmed who they are; the sign-in page does no such thing.

    Staff has a second factor, and has shown it. A test of that signs in there, as in tests/security.
    """
    if not request.path:  # the request that `force_login` makes up
        from allauth.account.internal.flows.login import record_authentication

        record_authentication(request, user, method="password", reauthenticated=True)
        if user.is_staff:
            factor = second_factor(user)
            shown = {"id": factor.pk, "type": factor.type, "reauthenticated": True}
            record_authentication(request, user, method="mfa", **shown)


def second_factor(user: "User") -> Any:
    """Give the account an authenticator app, unless it has one, and return its row; the seed is SEED."""
    from allauth.mfa.models import Authenticator

    from accounts.encryption import encrypt

    factor = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return factor or Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt(SEED)}
    )


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays until the end: all tests, all modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Give every test process a database of its own, so that two runs at once do not meet.

    It begins as a copy of a migrated one where tests.provision has made that; else all migrations are carried out.
    """
    test = connections["default"].settings_dict["TEST"]
    if connections["default"].vendor != "sqlite":
        test["NAME"] = f"test_shop_{os.getpid()}"
        test["TEMPLATE"] = os.environ.get("MIGRATED_POSTGRES")
        yield
        return
    DATABASES.mkdir(parents=True, exist_ok=True)
    _forget_killed_runs()
    own = DATABASES / f"{os.getpid()}.sqlite3"
    test["NAME"] = str(own)
    if migrated := os.environ.get("MIGRATED_SQLITE"):
        shutil.copy(migrated, own)
    yield
    own.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """Let Django take the copied SQLite file as it is, instead of deleting it first."""
    copied = connections["default"].vendor == "sqlite" and "MIGRATED_SQLITE" in os.environ
    return copied or bool(request.config.getvalue("reuse_db"))


def _forget_killed_runs() -> None:
    for left_over in DATABASES.glob("*.sqlite3*"):
        try:
            os.kill(int(left_over.name.partition(".")[0]), 0)
        except ProcessLookupError:
            left_over.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis.Redis]:
    """The Redis of this test process: cache, broker and rate limits."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(redis_server: redis.Redis) -> None:
    # The bindings stay: kombu declares a queue once per connection and would publish into nothing after a FLUSHDB.
    stale = [key for key in redis_server.scan_iter(count=1000) if not key.startswith(b"_kombu")]
    if stale:
        redis_server.delete(*stale)
    # And what this process remembers of it.
    from catalog.caching.versioned_cache import forget_process_cache
    from orders.fulfilment.late_checks import allowance
    from tests.accounts.denying import nobody_denied
    from tests.preferences.known import no_preferences
    from tests.support.told import nothing_told

    forget_process_cache()
    no_preferences()
    nobody_denied()
    nothing_told()
    allowance.refill()


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Let no test speak the language of the last page that the one before it asked for."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator["Sandbox"]:
    """One stand-in upstream for all tests of this process; use `sandbox`, which resets it."""
    from upstream.sandbox.process import Sandbox

    with Sandbox.start(services=60, seed=1, speed=0) as process:
        yield process


@pytest.fixture(scope="session", autouse=True)
def _warm_processes() -> Iterator[None]:
    """End what the tests of this process have kept warm."""
    yield
    from tests import warm

    warm.forget()


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """Let no idle thread of a test keep a connection to the database that the next one, or nobody, has."""
    yield
    from orders.fulfilment import thread_pool

    thread_pool.end_idle()


@pytest.fixture
def sandbox(sandbox_process: "Sandbox", settings: Any, monkeypatch: pytest.MonkeyPatch) -> "Sandbox":
    """The stand-in upstream: 60 services, a balance of 1000.00, no faults; orders do not move by themselves."""
    sandbox_process.reset(services=60, seed=1, balance="1000.00", speed=0)
    settings.UPSTREAM_URL = sandbox_process.url
    settings.UPSTREAM_KEY = sandbox_process.key
    # Commands and workers that a test starts as processes of their own read the environment.
    monkeypatch.setenv("UPSTREAM_URL", sandbox_process.url)
    monkeypatch.setenv("UPSTREAM_KEY", sandbox_process.key)
    return sandbox_process


@pytest.fixture
def client_upstream(sandbox: "Sandbox") -> Iterator["Client"]:
    """A client of the sandbox."""
    client = sandbox.client()
    yield client
    client.close()


def customer(email: str, *, money: str = "0", **fields: Any) -> "User":
    """Create a customer with a verified e-mail address and `money` in the wallet."""
    from allauth.account.models import EmailAddress

    from accounts.models import User
    from upstream.money import micros_from_decimal
    from wallet.models import LedgerEntry
    from wallet.operations import credit

    user = User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    if Decimal(money):
        credit(
            user=user,
            amount_micros=micros_from_decimal(Decimal(money)),
            kind=LedgerEntry.Kind.ADJUSTMENT,
            reference="credit:first money",  # as `manage.py credit` books it
            note="2026",
        )
    return user


@pytest.fixture
def ann(db: None) -> "User":
    """A customer who buys; 100.00 in the wallet."""
    return customer("ann@example.com", money="100.00")


@pytest.fixture
def ben(db: None) -> "User":
    """Another customer, who should see nothing of Ann's; 100.00 in the wallet."""
    return customer("ben@example.com", money="100.00")


@pytest.fixture
def sam(db: None) -> "User":
    """Staff, with every permission."""
    return customer("sam@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def tom(db: None) -> "User":
    """Sam's colleague, with every permission too."""
    return customer("tom@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def service(sandbox: "Sandbox", db: None) -> "Service":
    """An SMM service ordered with a link, 10 to 10,000 pieces at 1.50 per 1,000; in the shop and in the sandbox."""
    from catalog.models import Category, Service, Subcategory

    row = {
        "service": 900_001,
        "name": "Instagram Followers, real",
        "type": "Default",
        "category": "Instagram",
        "rate": "1.50",
        "min": 10,
        "max": 10_000,
    }
    sandbox.add_service(**row)
    # Its rate unit is certain: what happens before that, tests/orders/test_calibration.py looks at.
    category, _created = Category.objects.get_or_create(
        name=row["category"], defaults={"rate_confirmed_at": timezone.now()}
    )
    subcategory, _created = Subcategory.objects.get_or_create(category=category, name="Followers")
    return Service.objects.create(
        upstream_id=row["service"],
        category=category,
        subcategory=subcategory,
        name=row["name"],
        type=row["type"],
        rate_upstream_micros=1_500_000,
        min_quantity=row["min"],
        max_quantity=row["max"],
        search_text="instagram followers, real instagram followers",
    )
