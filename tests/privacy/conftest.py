"""A folder of its own for the exports of every test."""

import pytest

from tests.privacy.asking import with_privacy


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    """Where exports lie."""
    with_privacy(settings, export_dir=tmp_path / "exports")
    return tmp_path / "exports"
