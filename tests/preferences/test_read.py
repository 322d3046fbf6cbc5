"""Every preference is read, and nobody reads the setting behind it any more."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from preferences.registry import Preference, declared
from tests.storefront.settings_source import ROOT
from tests.storefront.test_layers import APPS
from wallet.preferences import TERMS

# What declares preferences says which settings are their defaults, and the settings make themselves.
DECLARING = {"preferences.py", "doors.py", "face.py", "keeping.py"}
OF_THE_SETTINGS = re.compile(r"storefront/(settings\.py|configuration/)")
# Settings of several figures, of which these alone are no preferences.
LEFT_IN = {
    "RETENTION": {"order_evidence", "trail_origins"},
    "PRIVACY": {"export_dir"},
    "QUALITY": set(),
    "PAYMENT_TERMS": {"get(gateway, {})"},  # of the demo's gateway
}


def sources() -> list[Path]:
    found = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return [path for path in found if not OF_THE_SETTINGS.search(str(path)) and path.name not in DECLARING]


SOURCES = {path: path.read_text() for path in sources()}
OF_SETTINGS = [one for one in declared() if one.setting and hasattr(settings, one.setting)]


@pytest.mark.parametrize("preference", OF_SETTINGS, ids=lambda one: one.name)
def test_nobody_reads_the_setting_of_a_preference(preference: Preference[Any]) -> None:
    reads = re.compile(rf"\bsettings\.{preference.setting}\b")

    assert [str(path) for path, text in SOURCES.items() if reads.search(text)] == []


@pytest.mark.parametrize("name", LEFT_IN)
def test_of_settings_with_several_figures_those_alone_are_read_that_are_no_preferences(name: str) -> None:
    read = {
        found
        for text in SOURCES.values()
        for found in re.findall(rf"\bsettings\.{name}\.(get\(gateway, {{}}\)|\w+)", text)
    }

    assert read == LEFT_IN[name]


def test_every_preference_is_read_somewhere() -> None:
    constants = {}
    for path in [path for app in APPS for path in (ROOT / app).rglob("*.py") if path.name in DECLARING]:
        for constant, call in re.findall(r"^([A-Z_]+)(?:: [^=]+)? = (\w+)\(", path.read_text(), re.MULTILINE):
            if call in {"declare", "_kept", "_of_retention"}:
                constants[constant] = path
    assert len(constants) > 40

    everything = "\n".join(SOURCES.values()) + (ROOT / "preferences/face.py").read_text()
    unread = [name for name in constants if not re.search(rf"\b{name}(\.value|\b)", everything)]
    assert unread == []


def test_variables_of_preferences_are_those_of_the_environment() -> None:
    known = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', _configuration())) | {"SUPPORT_EMAIL"}

    assert [one.setting for one in declared() if one.setting and one.setting not in known] == []
    assert {f"{gateway.upper()}_MIN" for gateway in TERMS} <= known


def _configuration() -> str:
    folder = ROOT / "storefront/configuration"
    return (ROOT / "storefront/settings.py").read_text() + "".join(path.read_text() for path in folder.glob("*.py"))
