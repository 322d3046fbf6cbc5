import json
import os
import re
import subprocess
import sys

import pytest

from tests.storefront.settings_source import ROOT, example, settings_reads

# What these read is told beside them: compose substitutes the first four, gunicorn.conf.py reads the others.
NOT_SETTINGS = {
    *("POSTGRES_PASSWORD", "RUNNING_PASSWORD", "PORT", "WORKER_CONCURRENCY"),
    *("WEB_CONCURRENCY", "WEB_THREADS"),
}
GOOD = {
    "SECRET_KEY": "kGm2Zt9xQ4vB7nLs1Hc8Rw5YpD3fJ6aE0uTiXoVgMb2Wq7Ke4Sz",
    "FIELD_ENCRYPTION_KEYS": 43 * "A" + "=",
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
    ("SYNC_CATALOG_EVERY_SECONDS", "often"),
    ("SYNC_REPRICED_FACTOR", "1"),
    ("BACKUP_TO", "/var/backups/shop"),  # and nobody to lock them for
    ("BACKUP_RECIPIENTS", "AGE-SECRET-KEY-1"),
    ("BACKUP_KEEP_DAILY", "0"),
    ("BACKUP_S3_ENDPOINT", "s3.example.com"),
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
    filled = (ROOT / ".env.example").read_text().replace("SECRET_KEY=\n", f"SECRET_KEY={GOOD['SECRET_KEY']}\n")
    # Every default that the file states, taken at its word.
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z_]+=.+)$", r"\1", filled, flags=re.MULTILINE))

    loaded = load(SECRET_KEY=None, DOTENV=str(tmp_path / ".env"))

    assert (loaded.returncode, loaded.stdout) == (0, "USD\n"), loaded.stderr
