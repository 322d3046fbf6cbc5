"""One version everywhere: the code's own, the package's, the changelog's, and what people and machines are shown."""

import re
import tomllib

import pytest

from storefront import __version__
from tests.storefront.settings_source import ROOT


def test_version_when_it_is_written_elsewhere_then_it_is_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]

    assert (project["version"], released[0]) == (__version__, __version__)


def test_changelog_when_versions_follow_each_other_then_the_newest_is_first() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    dated = [heading for heading in headings if heading != "[Unreleased]"]

    assert [heading for heading in dated if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading)] == []
    versions = [tuple(int(part) for part in heading[1:].partition("]")[0].split(".")) for heading in dated]
    assert versions == sorted(set(versions), reverse=True)


@pytest.mark.parametrize("address", ["/admin/", "/admin/orders/order/", "/admin/catalog/markuprule/add/"])
def test_admin_when_staff_opens_a_page_then_it_ends_with_the_version(client, sam, address) -> None:
    client.force_login(sam)

    page = client.get(address).content.decode()

    footer = re.search(r"<footer.*?</footer>", page, flags=re.DOTALL)
    assert footer is not None
    assert f"Version {__version__}" in footer[0]
