import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storefront.settings_source import ROOT

pytestmark = pytest.mark.once

APPS = ("storefront", "api", "sms", "orders", "catalog", "wallet", "accounts", "upstream")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_layers_when_checked_hold():
    checked = lint_imports(ROOT)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_layers_when_an_app_imports_upwards_or_opens_sockets_are_reported(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for app in APPS:
        (tmp_path / app).mkdir()
        (tmp_path / app / "__init__.py").touch()
    (tmp_path / "wallet/operations.py").write_text("import orders\n")
    (tmp_path / "catalog/sync.py").write_text("import requests\n")

    checked = lint_imports(tmp_path)

    assert checked.returncode != 0
    assert "wallet.operations -> orders" in checked.stdout
    assert "catalog.sync -> requests" in checked.stdout
