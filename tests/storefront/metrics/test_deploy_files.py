"""What owners load into Prometheus and Grafana names metrics that exist, and alerts that the runbook explains."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[3]
ALERTS, DASHBOARD = ROOT / "deploy" / "alerts.yml", ROOT / "deploy" / "grafana" / "shop.json"
RUNBOOK = ROOT / "docs" / "runbook.md"
METRIC = re.compile(r"\b(?:shop|django)_\w+\b")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


@pytest.fixture
def written(client, sandbox, db) -> set[str]:
    """The names that samples on the real page have or may have."""
    client.get("/accounts/login/")
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}


def test_alerts_name_only_metrics_that_the_shop_tells(written):
    named = {name for rule in rules() for name in METRIC.findall(rule["expr"])}

    assert named
    assert named - written == set()


def test_dashboard_names_only_metrics_that_the_shop_tells(written):
    named = {name for panel in panels() for target in panel["targets"] for name in METRIC.findall(target["expr"])}

    assert len(named) > 30
    assert named - written == set()


def test_alerts_when_read_say_how_urgent_they_are_and_where_help_is():
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert re.fullmatch(r"\d+[mh]", rule["for"]), rule
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"].endswith(".")


def test_runbook_has_a_paragraph_for_each_alert_and_no_other():
    text = RUNBOOK.read_text()

    assert re.findall(r"(?m)^## (\w+)$", text) == [rule["alert"] for rule in rules()]
    for rule in rules():
        paragraph = text.partition(f"## {rule['alert']}\n\n")[2].partition("\n## ")[0]
        assert paragraph.startswith(f"{rule['labels']['severity']}. "), rule["alert"]


def test_dashboard_when_imported_asks_for_its_source_and_gives_each_panel_a_place():
    dashboard = json.loads(DASHBOARD.read_text())

    assert [source["name"] for source in dashboard["__inputs"]] == ["DS_PROMETHEUS"]
    assert {panel["datasource"]["uid"] for panel in panels()} == {"${DS_PROMETHEUS}"}
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in dashboard["panels"])


@needs_promtool
@pytest.mark.parametrize("what", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_alerts_when_examined_by_prometheus_own_tool_are_right(what):
    checked = subprocess.run(
        ["promtool", *what], cwd=ROOT / "deploy", capture_output=True, text=True, timeout=60, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
@pytest.mark.parametrize("expression", sorted({t["expr"] for panel in panels() for t in panel["targets"]}))
def test_dashboard_when_asked_asks_what_prometheus_understands(expression, tmp_path):
    rules_of_panels = tmp_path / "rules.yml"
    rule = {"record": "panel", "expr": expression}
    rules_of_panels.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": [rule]}]}))

    checked = subprocess.run(
        ["promtool", "check", "rules", rules_of_panels], capture_output=True, text=True, timeout=60, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
