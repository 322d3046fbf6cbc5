"""What is written beside the code leads to where it says, and the hooks run what `make check` runs."""

import re
from pathlib import Path

import pytest

from tests.storefront.settings_source import ROOT, example, settings_reads

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").glob("*.md")])
# Of the changelog only the links count: what it tells of may be gone by now.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
TOP = {path.name for path in ROOT.iterdir()}
NOT_IN_THE_REPOSITORY = ("var/", "locale/")
OF_THE_PROJECT = {
    "LOOKED_AT",
    "PAYMENT_TERMS",
    "MOVES",
    "ACTIONS",
    "LC_MESSAGES",
    "RENEW_UPGRADE",
}  # constants, not settings


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_when_they_stay_in_the_repository_then_they_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", CURRENT, ids=name)
def test_paths_when_a_page_names_them_then_they_exist(page: Path) -> None:
    quoted = re.findall(r"`([\w.*-]+/[\w./*-]*)`", page.read_text())
    ours = [path for path in quoted if path.split("/")[0] in TOP and not path.startswith(NOT_IN_THE_REPOSITORY)]

    assert [path for path in ours if not any(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("page", CURRENT, ids=name)
def test_settings_when_a_page_names_them_then_the_shop_reads_them(page: Path) -> None:
    named = set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)+)\b", page.read_text())) - OF_THE_PROJECT

    assert named - set(settings_reads()) - set(example()) == set()


@pytest.mark.parametrize("page", CURRENT, ids=name)
def test_make_targets_when_a_page_names_them_then_they_exist(page: Path) -> None:
    targets = set(re.findall(r"(?:^    |`)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE))

    assert targets - set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)) == set()


def test_architecture_is_a_map_of_at_most_120_lines() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 120


def test_hooks_when_a_commit_is_made_then_they_run_what_make_check_runs() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert recipe is not None
    hooks = re.findall(r"entry: (.+)", (ROOT / ".pre-commit-config.yaml").read_text())

    commands = re.findall(r"\$\(BIN\)/(.+)", recipe[1])

    assert len(commands) == len(hooks)
    for command, hook in zip(commands, hooks, strict=True):
        assert command.removesuffix(" .") in hook
