import re

import pytest

from tests.storefront.settings_source import ROOT, example


def services() -> dict[str, str]:
    """Return the text of each service of docker-compose.yml; the file is indented by two and four spaces."""
    text = (ROOT / "docker-compose.yml").read_text()
    section = re.search(r"^services:\n(.*?)^volumes:", text, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    parts = re.split(r"^  ([a-z]+):\n", section[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_compose_has_all_parts_of_the_shop():
    assert set(services()) == {"web", "worker", "beat", "migrate", "postgres", "redis"}


@pytest.mark.parametrize("name", ["web", "worker", "beat", "postgres", "redis"])
def test_compose_when_a_part_is_ill_notices(name):
    assert "\n    healthcheck:\n      test: " in services()[name]


def test_compose_when_a_part_stops_starts_it_again():
    text = (ROOT / "docker-compose.yml").read_text()
    shared = text[: text.index("services:")]

    assert "restart: unless-stopped" in shared
    for name, part in services().items():
        assert "<<: *shop" in part or "restart: unless-stopped" in part, name


def test_compose_workers_and_the_demos_do_not_talk_among_themselves():
    demo = (ROOT / "storefront" / "demo" / "run.py").read_text()

    for text in (services()["worker"], demo):
        assert "--without-gossip" in text
        assert "--without-mingle" in text


def test_compose_names_current_servers():
    parts = services()

    assert int(re.search(r"image: postgres:(\d+)", parts["postgres"])[1]) >= 16
    assert int(re.search(r"image: redis:(\d+)", parts["redis"])[1]) >= 7


def test_compose_when_it_needs_a_variable_finds_it_in_env_example():
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert used <= set(example())
    assert "POSTGRES_PASSWORD" in used


def test_compose_and_image_hold_no_secret():
    for name in ("docker-compose.yml", "Dockerfile", ".env.example"):
        for line in (ROOT / name).read_text().splitlines():
            found = re.match(r"\W*(?:ENV )?\w*(?:PASSWORD|SECRET_KEY|UPSTREAM_KEY|TOKEN)\w*[:=] *(\S*)", line)
            assert not found or found[1] in ("", "${POSTGRES_PASSWORD:?is", "${RUNNING_PASSWORD:?is"), line


def test_image_takes_in_what_the_shop_needs_and_nothing_private():
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}

    assert apps | {"upstream", "storefront", "templates", "static", "manage.py", "gunicorn.conf.py"} <= taken
    assert not taken & {".env", ".git", "var", "tests"}
