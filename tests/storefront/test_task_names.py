"""Workers are woken by name: every name that is sent or planned has to be that of a task."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from storefront.celery import app
from tests.storefront.settings_source import ROOT

APPS = ("storefront", "privacy", "api", "support", "sms", "orders", "catalog", "wallet", "notifications", "accounts")


@pytest.fixture(scope="module")
def registered() -> set[str]:
    """The names of the tasks that a worker of this shop knows."""
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def texts(path: Path) -> set[str]:
    """Return every text in a module that looks like the name of a task of ours."""
    tree = ast.parse(path.read_text())
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {
        value for value in values if isinstance(value, str) and value.split(".")[1:2] == ["tasks"] and " " not in value
    }


def test_every_name_that_is_sent_is_registered(registered: set[str]) -> None:
    modules = [path for name in APPS for path in (ROOT / name).rglob("*.py")]

    sent = set().union(*map(texts, modules))

    assert "orders.tasks.forward_new_orders" in sent
    assert sent - registered == set()


def test_every_job_of_beat_is_registered(registered: set[str]) -> None:
    assert {job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values()} - registered == set()


def test_every_task_says_its_name(registered: set[str]) -> None:
    for path in (path for name in APPS for path in (ROOT / name).rglob("tasks.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                assert any("name=" in decorator for decorator in decorators), f"{path}: {node.name}"
