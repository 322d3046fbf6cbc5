import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storefront.settings_source import ROOT, example, settings_reads

# What these read is told beside them: compose substitutes them.
NOT_SETTINGS = {"POSTGRES_PASSWORD", "RUNNING_PASSWORD", "REDIS_PASSWORD", "VERSION", "PORT"}
GOOD = {
    "SECRET_KEY": "kGm2Zt9xQ4vB7nLs1Hc8Rw5YpD3fJ6aE0uTiXoVgMb2Wq7Ke4Sz",
    "FIELD_ENCRYPTION_KEYS": 43 * "A" + "=",
    "ALLOWED_HOSTS": "127.0.0.1",
    "DOTENV": os.devnull,
    "PATH": os.environ["PATH"],
    "DJANGO_SETTINGS_MODULE": "storefront.settings",
}

WRONG = [
    ("CATALOG_LANGUAGES", "tlh"),
    ("CATALOG_LANGUAGES", "ru,en"),
    ("CATALOG_LANGUAGES", "ru de"),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("FIELD_ENCRYPTION_KEYS", ""),
    ("FIELD_ENCRYPTION_KEYS", "password"),
    ("FIELD_ENCRYPTION_KEYS", f"{43 * 'A'}=,{42 * 'A'}=="),
    ("DEBUG", "perhaps"),
    ("SITE_URL", "shop.example.com"),
    ("DATABASE_URL", "shop"),
    ("DATABASE_URL", "mysql://shop@localhost/shop"),
    ("DEFAULT_MARKUP_PERCENT", "a lot"),
    ("DEFAULT_MARKUP_PERCENT", "NaN"),
    ("DEFAULT_MARKUP_PERCENT", "Infinity"),
    ("DEFAULT_MARKUP_PERCENT", "-5"),
    ("DEFAULT_RATE_PER", "100"),
    ("UPSTREAM_URL", "hstockplus.com/api/v2"),
    ("UPSTREAM_TIMEOUT_SECONDS", "0"),
    ("UPSTREAM_TIMEOUT_SECONDS", "nan"),
    ("UPSTREAM_MAX_PER_SECOND", "2.5"),
    ("UPSTREAM_EXCHANGE_RATE", "one"),
    ("UPSTREAM_EXCHANGE_RATE", "1.1"),
    ("ORDERS_CLAIM_SECONDS", "30"),
    ("EMAIL_VERIFICATION", "maybe"),
    ("GOODS_DELIVERY", "post"),
    ("EMAIL_URL", "post office"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp+tls://user:pa/ss@mail.example.com:587"),
    ("ALLOWED_HOSTS", ""),
    ("ALLOWED_HOSTS", "https://127.0.0.1"),
    ("ALLOWED_HOSTS", "127.0.0.1:8000"),
    ("ALLOWED_HOSTS", "shop.example.com admin.example.com"),
    ("ALLOWED_HOSTS", "shop.example.com"),
    ("SITE_URL", "https://elsewhere.example.com"),
    ("SITE_URL", "https://127.0.0.1/shop"),
    ("SITE_URL", "https://127.0.0.1/"),
    ("SITE_URL", "https://127.0.0.1:port"),
    ("SITE_URL", "https://127.0.0.1?"),
    ("ADMIN_HOST", "https://admin.example.com"),
    ("CSRF_TRUSTED_ORIGINS", "shop.example.com"),
    ("REDIS_URL", "nonsense"),
    ("REDIS_URL", "redis://"),
    ("REDIS_URL", "redis://127.0.0.1:port/0"),
    ("REDIS_URL", "redis://127.0.0.1/shop"),
    ("REDIS_URL", "http://127.0.0.1:6379"),
    ("DATABASE_URL", "postgres://shop:secret@127.0.0.1:5432/"),
    ("DATABASE_URL", "postgres://shop:sec/ret@127.0.0.1:5432/shop"),
    ("MIGRATION_DATABASE_URL", "sqlite:////shop"),
    ("ADMIN_EMAILS", "foo"),
    ("ADMIN_EMAILS", "ann@example.com;bob@example.com"),
    ("SUPPORT_EMAIL", "support"),
    ("FROM_EMAIL", "The shop"),
    ("LOG_LEVEL", "LOUD"),
    ("TIME_ZONE", "Moscow"),
    ("TIME_ZONE", "/etc/passwd"),
    ("LANGUAGE_CODE", "tlh"),
    ("STORE_CURRENCY", "dollars"),
    ("UPSTREAM_CURRENCY", "€"),
    ("EXCHANGE_RATE_SOURCE", "https://rates.example.com"),
    ("STATIC_ROOT", "static"),
    ("API_CACHE_DIR", "api"),
    ("DATA_EXPORT_DIR", "~/exports"),
    ("WORKER_CONCURRENCY", "0"),
    ("WORKER_CONCURRENCY", "many"),
    ("STRIPE_MIN", "20000"),
    ("SMS_POLL_SECONDS", "60"),
    ("ORDERS_POLL_MIN_SECONDS", "7200"),
    ("TRUSTED_PROXY_COUNT", "one"),
    ("BEHIND_PROXY", "true"),
    ("SYNC_CATALOG_EVERY_SECONDS", "often"),
    ("SYNC_REPRICED_FACTOR", "1"),
    ("BACKUP_TO", "/var/backups/shop"),  # and nobody to lock them for
    ("BACKUP_RECIPIENTS", "AGE-SECRET-KEY-1"),
    ("BACKUP_KEEP_DAILY", "0"),
    ("BACKUP_S3_ENDPOINT", "s3.example.com"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
    ("OTEL_TRACES_SAMPLER_ARG", "10"),
]
READ_ALL = """
import json, os, runpy, sys, traceback
ends = []
for case in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(case)
    try:
        runpy.run_module("storefront.settings")
        ends.append("")
    except Exception:
        ends.append(traceback.format_exc().strip().splitlines()[-1])
print(json.dumps(ends))
"""


def load(**variables: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, as every command and server does first; None is "not set"."""
    return subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.STORE_CURRENCY)"],
        cwd=ROOT,
        env={name: value for name, value in {**GOOD, **variables}.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_settings_when_only_the_keys_are_set_load():
    loaded = load()

    assert (loaded.returncode, loaded.stdout) == (0, "USD\n"), loaded.stderr


@pytest.mark.parametrize(("given", "languages", "jobs"), [(None, "()", "0"), ("ru, PT-br,ru", "('ru', 'pt-BR')", "2")])
def test_settings_ask_for_translations_only_where_languages_are_named(given: str | None, languages: str, jobs: str):
    program = (
        "from django.conf import settings; print(settings.CATALOG_LANGUAGES);"
        "print(sum('translations' in job for job in settings.CELERY_BEAT_SCHEDULE))"
    )
    variables = GOOD if given is None else {**GOOD, "CATALOG_LANGUAGES": given}
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=True
    )

    assert loaded.stdout.splitlines() == [languages, jobs]


@pytest.fixture(scope="module")
def refusals() -> list[str]:
    """What each wrong value ends with, in the order of WRONG: one process reads the settings anew for each of them."""
    cases = json.dumps([{**GOOD, name: value} for name, value in WRONG])
    loaded = subprocess.run(
        [sys.executable, "-c", READ_ALL], cwd=ROOT, env=GOOD, input=cases, capture_output=True, text=True, check=True
    )
    return json.loads(loaded.stdout)


@pytest.mark.xdist_group("settings")
@pytest.mark.parametrize("case", range(len(WRONG)), ids=[f"{name}-{value}" for name, value in WRONG])
def test_settings_when_a_value_is_wrong_refuse_to_load_and_name_the_variable(refusals: list[str], case: int):
    name, _value = WRONG[case]

    assert refusals[case].startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert name in refusals[case]


def test_settings_when_upstream_keeps_another_currency_ask_for_the_exchange_rate():
    loaded = load(UPSTREAM_CURRENCY="EUR")

    assert loaded.returncode != 0
    assert "UPSTREAM_EXCHANGE_RATE is not set: how many USD is one EUR?" in loaded.stderr


def test_command_when_a_setting_is_wrong_exits_with_its_name():
    checked = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env={**GOOD, "UPSTREAM_MAX_IN_FLIGHT": "none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert checked.returncode != 0
    assert "UPSTREAM_MAX_IN_FLIGHT is 'none'; it should be a whole number." in checked.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://:open-sesame@127.0.0.1:port/0"),
        ("DATABASE_URL", "postgres://shop:open-sesame/x@127.0.0.1/shop"),
        ("EMAIL_URL", "smtp+tls://shop:open-sesame/x@mail.example.com"),
    ],
)
def test_a_password_in_a_value_that_is_wrong_is_not_printed(name: str, value: str):
    loaded = load(**{name: value})

    assert loaded.returncode != 0
    assert f"ImproperlyConfigured: {name} " in loaded.stderr
    assert "open-sesame" not in loaded.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", ".example.com,127.0.0.1,[::1]"),
        ("LOG_LEVEL", "warning"),
        ("REDIS_URL", "rediss://user:p%2Fw@redis.example.com:6380/1"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("ADMIN_EMAILS", "ann@example.com, Bob <bob@example.com>"),
        ("FROM_EMAIL", "The shop <shop@example.com>"),
        ("CSRF_TRUSTED_ORIGINS", "https://*.example.com,https://shop.example.com:8443"),
        ("TIME_ZONE", "Europe/Moscow"),
    ],
)
def test_settings_when_a_value_is_right_though_unusual_load(name: str, value: str):
    loaded = load(**{name: value})

    assert (loaded.returncode, loaded.stdout) == (0, "USD\n"), loaded.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WEB_CONCURRENCY", "many", "is 'many'; it should be a whole number."),
        ("WEB_CONCURRENCY", "0", "is 0; it should be at least 1."),
        ("WEB_THREADS", "some", "is 'some'; it should be a whole number."),
        ("WEB_THREADS", "0", "is 0; it should be at least 1."),
        ("UPSTREAM_TIMEOUT_SECONDS", "-5", "is -5.0; it should be at least 0.1."),
        ("UPSTREAM_TIMEOUT_SECONDS", "soon", "is 'soon'; it should be a number of seconds."),
    ],
)
@pytest.mark.parametrize("written", ["environment", "dotenv"])
def test_web_when_a_setting_is_wrong_does_not_start_and_names_it(
    name: str, value: str, words: str, written: str, tmp_path: Path
):
    (tmp_path / ".env").write_text(f"{name}={value}\n")
    given = {name: value} if written == "environment" else {"DOTENV": str(tmp_path / ".env")}
    web = [sys.executable, "-m", "storefront.web.serve", "storefront.wsgi", "--bind", "127.0.0.1:0"]
    started = subprocess.run(
        web, cwd=ROOT, env={**GOOD, **given}, capture_output=True, text=True, timeout=60, check=False
    )

    assert (started.returncode, started.stderr) == (1, f"{name} {words}\n")


@pytest.mark.parametrize(
    "program",
    [
        ["manage.py", "migrate", "--check"],
        ["-m", "storefront.web.serve", "storefront.wsgi", "--check-config"],
        ["-m", "celery", "-A", "storefront", "worker", "--pool", "threads"],
        ["-m", "celery", "-A", "storefront", "beat", "--schedule", os.devnull],
    ],
    ids=["migrate", "web", "worker", "beat"],
)
def test_every_program_when_a_setting_is_wrong_ends_with_its_name_and_what_to_write(program: list[str]):
    started = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env={**GOOD, "REDIS_URL": "nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert started.returncode not in (0, None)
    assert "REDIS_URL is no address of a Redis; it should look like redis://:password@host:6379/0" in started.stderr


def test_a_secret_in_the_environment_when_another_value_is_wrong_is_not_printed():
    loaded = load(UPSTREAM_KEY="very-secret-key", DEBUG="perhaps")

    assert loaded.returncode != 0
    assert "very-secret-key" not in loaded.stderr


def test_env_example_names_exactly_what_is_read():
    assert set(example()) == set(settings_reads()) | NOT_SETTINGS


def test_env_example_states_the_defaults_of_the_settings():
    reads = settings_reads()
    stated = {name: value for name, value in example().items() if value and name in reads}

    different = {
        name: (value, reads[name].default)
        for name, value in stated.items()
        if reads[name].default is not None and value.lower() != reads[name].default.lower()
    }

    assert different == {}


def test_env_example_when_filled_in_is_accepted(tmp_path):
    filled = (ROOT / ".env.example").read_text()
    for name in ("SECRET_KEY", "ALLOWED_HOSTS"):
        filled = filled.replace(f"\n{name}=\n", f"\n{name}={GOOD[name]}\n")
    # Every default that the file states, taken at its word.
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z_]+=.+)$", r"\1", filled, flags=re.MULTILINE))

    loaded = load(SECRET_KEY=None, ALLOWED_HOSTS=None, DOTENV=str(tmp_path / ".env"))

    assert (loaded.returncode, loaded.stdout) == (0, "USD\n"), loaded.stderr
