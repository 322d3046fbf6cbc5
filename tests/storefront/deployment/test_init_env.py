"""deploy/init_env.py: what a file with settings lacks is made, and nothing that is there is touched."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storefront.configuration.test_settings import load
from tests.storefront.settings_source import ROOT, example

SECRETS = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "POSTGRES_PASSWORD", "RUNNING_PASSWORD", "REDIS_PASSWORD")


def init_env(path: Path) -> str:
    """Run the script as an owner does, with nothing but Python's own modules; return what it says."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "deploy" / "init_env.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return ended.stdout


def values(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), flags=re.MULTILINE))


def test_init_env_makes_a_file_for_its_owner_alone_with_every_secret(tmp_path: Path):
    said = init_env(tmp_path / ".env")

    made = values(tmp_path / ".env")
    assert all(made[name] for name in SECRETS)
    assert len({made[name] for name in SECRETS}) == len(SECRETS)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    assert not any(made[name] in said for name in SECRETS)
    for name in ("SITE_URL", "ALLOWED_HOSTS", "UPSTREAM_KEY"):
        assert f"\n  {name} " in said


def test_init_env_makes_what_compose_needs_and_the_settings_accept(tmp_path: Path):
    path = tmp_path / ".env"
    init_env(path)
    path.write_text(path.read_text().replace("\nALLOWED_HOSTS=\n", "\nALLOWED_HOSTS=127.0.0.1\n"))
    needed = re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text())

    loaded = load(SECRET_KEY=None, FIELD_ENCRYPTION_KEYS=None, ALLOWED_HOSTS=None, DOTENV=str(path))

    assert (loaded.returncode, loaded.stdout) == (0, "USD\n"), loaded.stderr
    assert {name for name in needed if not values(path).get(name)} == {"SITE_URL"}
    for name in ("POSTGRES_PASSWORD", "RUNNING_PASSWORD", "REDIS_PASSWORD"):
        assert values(path)[name].isalnum()  # it becomes part of an address


@pytest.mark.parametrize("kept", SECRETS)
def test_init_env_never_changes_a_value(tmp_path: Path, kept: str):
    path = tmp_path / ".env"
    path.write_text(f"# mine\n{kept}=as-it-was\nSTORE_NAME='Ann & Bob'\n")

    init_env(path)
    first = path.read_text()
    said = init_env(path)

    assert first.startswith(f"# mine\n{kept}=as-it-was\nSTORE_NAME='Ann & Bob'\n")
    assert path.read_text() == first
    assert "no secret was missing" in said


def test_init_env_says_nothing_of_what_the_owner_has_filled_in(tmp_path: Path):
    path = tmp_path / ".env"
    path.write_text("SITE_URL=https://shop.example.com\nALLOWED_HOSTS=shop.example.com\n")

    said = init_env(path)

    assert "SITE_URL" not in said
    assert "UPSTREAM_KEY" in said


def test_init_env_asks_for_and_makes_only_what_env_example_has():
    text = (ROOT / "deploy" / "init_env.py").read_text()

    assert set(re.findall(r'^    "([A-Z_]+)":', text, flags=re.MULTILINE)) <= set(example())
