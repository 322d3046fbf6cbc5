"""What `doctor` and `check --deploy` say of a shop that strangers can reach."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.staticfiles.finders import get_finders
from django.db import connection
from django.utils import timezone

from accounts.models import User
from preferences.change import change_preferences
from preferences.face import SUPPORT_EMAIL
from storefront.monitoring import deployment
from storefront.monitoring.doctor import examine
from tests.security.test_refuses_to_start import PUBLIC
from tests.storefront.settings_source import ROOT
from tests.workers import database_url

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
MAILS = {"EMAIL_URL": "smtp+tls://mail.example.org:587", "ADMIN_EMAILS": "o@shop.org", "SUPPORT_EMAIL": "help@shop.org"}


def check_deploy(folder: Path, **variables: str) -> str:
    """Run `check --deploy` as the owner would, on the test's database, and return what it says."""
    names = [path for finder in get_finders() for path, _storage in finder.list([])]
    manifest = {"version": "1.1", "hash": "", "paths": {name: name for name in names}}
    (folder / "staticfiles.json").write_text(json.dumps(manifest))
    environment = {**PUBLIC, **MAILS, "PATH": os.environ["PATH"], "STATIC_ROOT": str(folder)}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**environment, "DATABASE_URL": database_url(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stdout + checked.stderr


@pytest.mark.django_db(transaction=True)
def test_check_deploy_when_all_is_as_the_documents_say_has_nothing_to_say(tmp_path: Path) -> None:
    said = check_deploy(tmp_path)

    if connection.vendor == "postgresql":  # the tests' own role may do everything
        assert "is a superuser" in said
        assert "identified 1 issue (0 silenced)" in said.replace("2 silenced", "0 silenced")
    else:
        assert "System check identified no issues" in said


@pytest.mark.django_db(transaction=True)
def test_check_deploy_when_much_is_wrong_says_all_of_it(tmp_path: Path, sam: User) -> None:
    said = check_deploy(
        tmp_path,
        BEHIND_PROXY="false",
        HTTPS_REDIRECT="false",
        HSTS_SECONDS="0",
        EMAIL_URL="consolemail://",
        STATIC_ROOT=str(tmp_path / "none"),
    )

    for words in ("BEHIND_PROXY is off", "HTTPS_REDIRECT is off", "1 of 1 members of staff", "EMAIL_URL sends nothing"):
        assert words in said
    assert "run manage.py collectstatic" in said
    assert "security.W004" in said  # Django's own word for HSTS


@pytest.fixture
def public(settings: Any) -> None:
    """A shop at a public address, all in order."""
    settings.SITE_URL = "https://shop.example.com"
    settings.BEHIND_PROXY, settings.ALLAUTH_TRUSTED_PROXY_COUNT = True, 1
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000


def found(part: str) -> tuple[bool, str]:
    [finding] = examine([part])
    return finding.well, finding.text


def test_doctor_when_the_shop_is_public_and_in_order_says_so(public: None) -> None:
    assert found("proxy") == (True, "behind 1, as TRUSTED_PROXY_COUNT says")
    assert found("https") == (True, "http is redirected, browsers keep to https for 365 days")
    assert found("staff") == (True, "0 members of staff, all with a second factor")


@pytest.mark.parametrize(
    ("part", "changed", "words"),
    [
        ("proxy", {"BEHIND_PROXY": False}, "send slowly"),
        ("https", {"SITE_URL": "http://shop.example.com"}, "does not begin with https"),
        ("https", {"SECURE_SSL_REDIRECT": False}, "HTTPS_REDIRECT"),
        ("https", {"SECURE_HSTS_SECONDS": 0}, "HSTS_SECONDS"),
        ("e-mail", {}, "sends nothing"),
        ("visits", {"SIGN_IN_AS": True, "ADMIN_HOST": "admin.example.com"}, "offered to nobody"),
    ],
)
def test_doctor_when_something_is_unwise_says_what(
    public: None, settings: Any, part: str, changed: dict[str, Any], words: str
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)

    well, text = found(part)

    assert not well
    assert words in text


def test_doctor_when_staff_has_no_second_factor_counts_them(public: None, sam: User, tom: User, ann: User) -> None:
    assert found("staff")[0] is False
    assert "2 of 2 members of staff" in found("staff")[1]

    Authenticator.objects.create(user=sam, type=Authenticator.Type.TOTP, data={"secret": "x"})
    Authenticator.objects.create(user=tom, type=Authenticator.Type.RECOVERY_CODES, data={})

    assert "1 of 2 members of staff" in found("staff")[1]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "limited owns no table"),
        ("ALTER ROLE limited CREATEROLE", "is one who makes roles"),
        ("ALTER TABLE wallet_wallet OWNER TO limited", "is the tables' owner"),
    ],
)
def test_doctor_when_the_database_role_may_too_much_says_so(public: None, statement: str, words: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE limited")
        if statement:
            cursor.execute(statement)
        cursor.execute("SET LOCAL ROLE limited")

        assert words in found("role")[1]


def test_doctor_when_a_static_file_is_new_asks_to_collect(public: None, settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "storefront.web.staticfiles.BundledStaticFilesStorage"},
    }
    assert "there are none" in found("static")[1]

    manifest = {"version": "1.1", "hash": "", "paths": {"css/site.css": "css/site.1.css"}}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    settings.STORAGES = {**settings.STORAGES}  # read anew

    assert "are not collected, the first is" in found("static")[1]


def test_deployment_when_the_shop_is_not_public_is_not_examined(sam: User) -> None:
    asked: dict[str, Callable[[], str]] = deployment.PARTS

    assert {question() for question in asked.values()} == {deployment.NOT_PUBLIC}


def test_mails_when_only_the_admin_knows_the_shops_address_then_their_sender_is_nobody(settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "localhost"
    settings.ADMINS, settings.DEFAULT_FROM_EMAIL = [("Admin", "o@shop.org")], "support@example.com"
    change_preferences({SUPPORT_EMAIL: "help@shop.org"}, actor_id=None, actor="test", now=timezone.now())

    with pytest.raises(deployment.Trouble, match="FROM_EMAIL is not set"):
        deployment.mail_settings()

    settings.DEFAULT_FROM_EMAIL = "help@shop.org"
    assert deployment.mail_settings().startswith("sent by localhost")
