"""`make graph`: the picture of the rooms, and the circles it looks for."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.storefront.settings_source import ROOT
from tests.storefront.test_layers import APPS


def make_graph(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "docs/graph.py"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def copied(folder: Path) -> Path:
    for app in APPS:
        shutil.copytree(ROOT / app, folder / app, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/graph.py", folder / "docs")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def rooms_in(picture: Path) -> list[str]:
    return re.findall(r'class="room"[^>]*>([^<]+)<', picture.read_text())


def test_graph_when_it_is_drawn_then_no_rooms_import_in_a_circle_and_the_kept_picture_has_them_all(tmp_path):
    folder = copied(tmp_path)

    drawn = make_graph(folder)

    assert drawn.returncode == 0, drawn.stdout + drawn.stderr
    assert "circles: 0." in drawn.stdout
    kept = sorted(rooms_in(ROOT / "docs/rooms.svg"))
    assert kept == sorted(rooms_in(folder / "docs/rooms.svg")), "rooms have come or gone: make graph"


def test_graph_when_rooms_of_two_apps_import_each_other_then_it_names_them_and_fails(tmp_path):
    folder = copied(tmp_path)
    module = folder / "accounts/money.py"
    module.write_text(f"{module.read_text()}\n\ndef late():\n    import orders.models\n")

    drawn = make_graph(folder)

    assert drawn.returncode == 1
    circle = "accounts.money, catalog.models, orders.models, wallet.models"
    assert f"In a circle, in alphabetical order: {circle}\n" in drawn.stdout
