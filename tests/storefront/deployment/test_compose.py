"""docker-compose.yml and the Dockerfile, as far as they can be looked at without Docker."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

import storefront
from storefront.configuration.queues import LEFT, QUEUES
from tests.storefront.settings_source import ROOT, example

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
WORKERS = {name.removeprefix("worker-") for name in SERVICES if name.startswith("worker-")}
OF_THE_SHOP = {"web", "beat", "migrate", "backup", *(f"worker-{name}" for name in WORKERS)}
STEPS = {"migrate", "backup"}
RUNNING = set(SERVICES) - STEPS


def seconds(text: str) -> int:
    """Return a duration of compose in seconds; ours are all written in seconds."""
    return int(text.removesuffix("s"))


def test_compose_has_all_parts_of_the_shop():
    assert set(SERVICES) == {"proxy", "postgres", "redis", *OF_THE_SHOP}


def test_compose_has_a_worker_for_every_queue_and_one_of_them_serves_what_is_left_of_former_versions():
    served = [re.search(r"--queues (\S+)", SERVICES[f"worker-{name}"]["command"])[1].split(",") for name in WORKERS]

    assert set(QUEUES) == WORKERS
    assert sorted(queue for queues in served for queue in queues) == sorted([*QUEUES, LEFT])
    for name in WORKERS:
        assert f"--queues {name}" in SERVICES[f"worker-{name}"]["command"]


@pytest.mark.parametrize("name", sorted(RUNNING))
def test_compose_when_a_part_is_ill_notices(name: str):
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(RUNNING))
def test_compose_when_a_part_stops_starts_it_again(name: str):
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_compose_health_is_of_the_container_itself():
    assert "/health/live" in str(SERVICES["web"]["healthcheck"]["test"])
    assert "pg_isready --host 127.0.0.1" in str(SERVICES["postgres"]["healthcheck"]["test"])
    for name in ("beat", *(f"worker-{name}" for name in WORKERS)):
        assert SERVICES[name]["environment"]["PULSE_FILE"] in str(SERVICES[name]["healthcheck"]["test"])


@pytest.mark.parametrize("age", [0, 30, 180, None], ids=["now", "lately", "minutes ago", "never"])
def test_compose_the_health_check_of_worker_and_beat_goes_by_their_file(tmp_path: Path, age: int | None):
    _shell, check = SERVICES["beat"]["healthcheck"]["test"]
    file = tmp_path / "pulse"
    if age is not None:
        subprocess.run(["touch", "--date", f"{age} seconds ago", str(file)], check=True)

    check = check.replace("$$", "$").replace(SERVICES["beat"]["environment"]["PULSE_FILE"], str(file))
    told = subprocess.run(["sh", "-c", check], capture_output=True, check=False)

    assert (told.returncode == 0) is (age is not None and age < 60)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_compose_gives_every_part_limits_a_rotated_log_one_network_and_no_rights(name: str):
    part = SERVICES[name]
    limits = part["deploy"]["resources"]["limits"]

    assert set(limits) == {"cpus", "memory", "pids"}
    assert part["logging"]["options"]["max-size"]
    assert part["networks"] == ["shop"]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])


def test_compose_waits_longer_for_every_part_than_its_longest_call():
    grace = {name: seconds(part["stop_grace_period"]) for name, part in SERVICES.items()}

    for name in ("web", "worker-money", "worker-polling", "worker-numbers"):
        assert grace[name] > 2 * settings.UPSTREAM_TIMEOUT_SECONDS, name
    assert grace["worker-sync"] > settings.UPSTREAM_SYNC_TIMEOUT_SECONDS
    assert grace["worker-mail"] > settings.EMAIL_TIMEOUT
    own = re.search(r"grace_period (\d+)s", (ROOT / "deploy" / "Caddyfile").read_text())
    assert grace["proxy"] > int(own[1]) > settings.UPSTREAM_TIMEOUT_SECONDS
    assert min(grace["migrate"], grace["backup"]) >= 600


def test_compose_everything_begins_once_migrate_has_ended_well():
    for name in OF_THE_SHOP - STEPS:
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
    assert "migrate" not in SERVICES["backup"]["depends_on"]  # a backup is of what was there before


def test_compose_images_have_a_version_and_the_shops_is_its_own():
    for name, part in SERVICES.items():
        assert re.search(r":(\d+|\$\{VERSION:-)", part["image"]), name
    assert {SERVICES[name]["image"] for name in OF_THE_SHOP} == {
        f"hstockplus-storefront:${{VERSION:-{storefront.__version__}}}"
    }


def test_compose_workers_and_the_demos_do_not_talk_among_themselves():
    demo = (ROOT / "storefront" / "demo" / "run.py").read_text()

    for text in (*(SERVICES[f"worker-{name}"]["command"] for name in WORKERS), demo):
        assert "--without-gossip" in text
        assert "--without-mingle" in text


def test_compose_names_current_servers():
    assert int(re.search(r"postgres:(\d+)", SERVICES["postgres"]["image"])[1]) >= 16
    assert int(re.search(r"redis:(\d+)", SERVICES["redis"]["image"])[1]) >= 7


def test_compose_redis_keeps_its_messages_within_a_limit_and_behind_a_password():
    command = " ".join(SERVICES["redis"]["command"])

    for option in ("--appendonly yes", "--maxmemory 512mb", "--maxmemory-policy noeviction", "requirepass"):
        assert option in command
    assert "$REDIS_PASSWORD" not in command.replace("$$", "$")  # which everybody on the machine would see in `ps`


def test_compose_only_migrate_knows_the_password_of_the_tables_owner():
    knows = {name for name, part in SERVICES.items() if "${POSTGRES_PASSWORD" in str(part["environment"])}

    assert knows == {"migrate", "postgres"}
    for name in OF_THE_SHOP:  # .env, which all of them are given, has it as well
        assert SERVICES[name]["environment"]["POSTGRES_PASSWORD"] == ""


def test_compose_when_it_needs_a_variable_finds_it_in_env_example():
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert used <= set(example())
    assert "POSTGRES_PASSWORD" in used


@pytest.mark.parametrize("name", ["RUNNING_PASSWORD", "REDIS_PASSWORD", "POSTGRES_PASSWORD", "SITE_URL"])
def test_compose_without_a_variable_it_needs_does_not_start_and_says_what_to_write(name: str):
    told = re.findall(rf"\$\{{{name}:\?([^}}]+)\}}", (ROOT / "docker-compose.yml").read_text())

    assert told
    assert all("is not set in .env; " in words for words in told)
    assert not re.findall(rf"\$\{{{name}[:-]*\}}", (ROOT / "docker-compose.yml").read_text())  # nowhere unasked


def test_compose_and_image_hold_no_secret():
    for name in ("docker-compose.yml", "Dockerfile", ".env.example"):
        for line in (ROOT / name).read_text().splitlines():
            found = re.match(r"\W*(?:ENV )?\w*(?:PASSWORD|SECRET_KEY|UPSTREAM_KEY|TOKEN)\w*[:=] *(\S*)", line)
            assert not found or found[1] in ("", '""') or re.match(r"\$\{[A-Z_]+_PASSWORD:\?is", found[1]), line


def test_image_takes_in_what_the_shop_needs_and_nothing_private():
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}

    assert apps | {"upstream", "storefront", "templates", "static", "manage.py", "gunicorn.conf.py"} <= taken
    assert not taken & {".env", ".git", "var", "tests"}


def test_image_is_built_in_stages_and_runs_as_nobody():
    text = (ROOT / "Dockerfile").read_text()
    _comment, build, final = text.split("FROM ")

    assert " AS build" in build
    assert "pip install" not in final
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", final, flags=re.MULTILINE)


def test_image_builds_its_files_with_the_settings_it_names(tmp_path: Path):
    """The command of the Dockerfile, as far as it needs no image: with these settings alone the shop loads."""
    command = re.search(r"&& (DOTENV=.*?--verbosity 0)", (ROOT / "Dockerfile").read_text(), flags=re.DOTALL)[1]
    python = sys.executable
    command = command.replace("\\\n", " ").replace("python ", f"{python} ")
    environment = {"PATH": "/usr/bin:/bin", "STATIC_ROOT": str(tmp_path / "static")}

    built = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )

    assert built.returncode == 0, built.stderr
    assert (tmp_path / "static" / "staticfiles.json").exists()
    shutil.rmtree(tmp_path / "static")
