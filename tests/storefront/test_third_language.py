"""Another language is a folder: no line of the program changes, and the shop speaks it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po
from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.catalog_languages import catalog_languages
from storefront.configuration.environment import Environment
from storefront.configuration.languages import language_code, languages
from tests.storefront.settings_source import APPS, ROOT

WORDS = {"Services": "Dienste", "All services": "Alle Dienste", "Sign in": "Anmelden", "Skip to content": "Zum Inhalt"}
ASK = """
import django, json
django.setup()
from django.conf import settings
from django.test import Client
HOST, PAGE = {"host": "localhost"}, "/accounts/login/"
pages = {spoken: Client().get(PAGE, headers={"accept-language": spoken, **HOST}).content.decode()
         for spoken in ("de", "de-AT", "ru", "en", "fr")}
chosen = Client(headers=HOST)
chosen.post("/language/", {"language": "de"})
pages["chosen"] = chosen.get(PAGE).content.decode()
print(json.dumps({"languages": settings.LANGUAGES, "pages": pages, "catalog": settings.CATALOG_LANGUAGES}))
"""


def translate(folder: Path, code: str, words: dict[str, str]) -> None:
    """Put a translation into a folder of translations, as `make messages` and `make compile` would."""
    catalog = Catalog(locale=code, domain="django")
    for text, said in words.items():
        catalog.add(text, said)
    inner = folder / code / "LC_MESSAGES"
    inner.mkdir(parents=True)
    with (inner / "django.po").open("wb") as po, (inner / "django.mo").open("wb") as mo:
        write_po(po, catalog)
        write_mo(mo, catalog)


def test_a_folder_is_all_that_another_language_takes(tmp_path: Path) -> None:
    for name in (*APPS, "templates", "static", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    translate(tmp_path / "locale", "de", WORDS)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "storefront.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}",
        "DOTENV": os.devnull,
        "CATALOG_LANGUAGES": "pages",
        "DEBUG": "true",
    }

    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )

    assert asked.returncode == 0, asked.stderr[-3000:]
    found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    assert found["languages"] == [["en", "English"], ["de", "Deutsch"], ["ru", "Русский"]]
    assert found["catalog"] == ["de", "ru"]
    spoken = {asked: page.partition('<html lang="')[2][:2] for asked, page in found["pages"].items()}
    assert spoken == {"de": "de", "de-AT": "de", "ru": "ru", "en": "en", "fr": "en", "chosen": "de"}
    assert all(word in found["pages"]["de"] for word in WORDS.values())
    for page in found["pages"].values():
        assert [f'value="{code}"' in page for code in ("en", "de", "ru")] == [True] * 3
        assert "Deutsch" in page


def test_folders_are_named_as_django_names_languages(tmp_path: Path) -> None:
    translate(tmp_path, "pt_BR", {})
    (tmp_path / "notes").mkdir()
    assert languages(tmp_path) == [("en", "English"), ("pt-br", "Português Brasileiro")]

    (tmp_path / "klingon" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "klingon" / "LC_MESSAGES" / "django.po").touch()
    with pytest.raises(ImproperlyConfigured, match="klingon"):
        languages(tmp_path)


def test_settings_name_languages_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env, spoken = Environment(tmp_path / "none"), [("en", "English"), ("ru", "Русский"), ("pl", "Polski")]
    monkeypatch.setenv("LANGUAGE_CODE", "RU")
    monkeypatch.setenv("CATALOG_LANGUAGES", "fr,pages")

    assert language_code(env, spoken) == "ru"
    assert catalog_languages(env, spoken) == ("fr", "ru")  # no Polish upstream

    monkeypatch.setenv("LANGUAGE_CODE", "de")
    with pytest.raises(ImproperlyConfigured, match="en, ru, pl"):
        language_code(env, spoken)
