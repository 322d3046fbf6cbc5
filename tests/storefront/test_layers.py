import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storefront.settings_source import ROOT

APPS = (
    *("storefront", "privacy", "api", "support", "sms", "orders", "catalog", "wallet"),
    *("jobs", "notifications", "accounts", "preferences", "upstream"),
)


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


@pytest.mark.parametrize(
    ("planted", "statement", "reported"),
    [
        ("wallet/operations/__init__.py", "import orders", "wallet.operations -> orders"),
        ("catalog/sync/__init__.py", "import requests", "catalog.sync -> requests"),
        (
            "orders/lifecycle/refunds.py",
            "import orders.fulfilment.pauses",
            "orders.lifecycle.refunds -> orders.fulfilment",
        ),
        ("orders/models/order.py", "def late():\n    import orders.tasks", "orders.models.order -> orders.tasks"),
        ("upstream/errors.py", "import upstream.client", "upstream.errors -> upstream.client"),
    ],
)
def test_layers_when_something_imports_upwards_or_opens_sockets_are_reported(tmp_path, planted, statement, reported):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("migrations"))
    module = tmp_path / planted
    module.write_text(f"{module.read_text()}\n{statement}\n")

    checked = lint_imports(tmp_path)

    assert checked.returncode != 0
    assert reported in checked.stdout
