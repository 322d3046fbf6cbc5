"""Who may come where by role: every role × every address of the admin × every method, as the roles are written.

`make test` asks for a page that is closed to a role by one method, another one for the next role and the next page;
`make test-long` by all of them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from accounts.models import User
from accounts.rights import CATALOG, FINANCE, OWNER, SUPPORT
from storefront.roles import roles
from tests.samples import each_method
from tests.security.addresses import is_of_the_admin, routes
from tests.security.staff import at_the_admin, in_role
from tests.storefront.admin_rows import make_rows

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST")
NOT_OWNERS = (FINANCE, CATALOG, SUPPORT)
# What a page needs; every other page below a model is an act of its own and needs the right to change.
NEEDS = {"changelist": ("view", "change"), "change": ("view", "change"), "history": ("view", "change"),
         "add": ("add",), "delete": ("delete",)}  # fmt: skip
# Whoever sees the preferences comes there; which of them they change, each says: tests/preferences/test_page.py.
OF_EACH_PREFERENCE = {"preferences_preview", "preferences_undo"}
# Acts that only show, or lead to where things are shown.
ONLY_SHOW = {
    *("sms_number_report", "wallet_wallet_ledger", "orders_reports", "orders_service_report"),
    *OF_EACH_PREFERENCE,
}
# Nobody comes there, whatever they may do: see test_roles.py; or only where the shop has it: see test_sign_in_as.py.
GONE = {"auth_user_password_change", "accounts_user_sign_in_as"}
# Everybody's own jobs are theirs alone, and files are of lists that they may see: tests/jobs/test_list_files.py.
OWN_JOBS = {f"jobs_staffjob_{name}" for name in ("file", "list", "progress", "stop")}
# The admin's own: whoever works here may open them, and finds there what their rights show.
OF_NO_MODEL = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "search", "advanced",
    # tests/storefront/set_up, tests/storefront/money_desk
    "set_up", "set_up_sync", "set_up_prices", "money_desk", "money_file",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One address below a model."""

    name: str
    model: type[Model]
    kind: str
    address: str

    def needs(self) -> set[str]:
        """The permissions of which one is enough."""
        acts = ("view", "change") if self.name in ONLY_SHOW else NEEDS.get(self.kind, ("change",))
        if self.name == "mfa_authenticator_delete":
            acts = ("delete",)
        return {f"{self.model._meta.app_label}.{act}_{self.model._meta.model_name}" for act in acts}


def pages() -> Iterator[Page]:
    """Every address of the admin that belongs to a model, about its newest row."""
    models = {f"{model._meta.app_label}/{model._meta.model_name}/": model for model in admin.site._registry}
    for route in filter(is_of_the_admin, routes()):
        name, below = route.name.removeprefix("admin:"), route.pattern.removeprefix("admin/")
        model = next((found for start, found in models.items() if below.startswith(start)), None)
        if model is None:
            assert name in OF_NO_MODEL, f"say who may come to {name}"
            continue
        if name in GONE | OWN_JOBS:
            continue
        row = model._default_manager.order_by("-pk").first()
        assert row is not None, f"no row of {model._meta.label}"
        address = re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)", str(row.pk), route.pattern)
        kind = name.removeprefix(f"{model._meta.app_label}_{model._meta.model_name}_")
        yield Page(name, model, kind, "/" + re.sub(r"[\^$\\]|\(\?:[^)]*\)", "", address))


def status(client: Client, page: Page, method: str) -> int:
    return client.generic(method, page.address, b"", content_type="application/x-www-form-urlencoded").status_code


def bulk_actions(page: Page) -> list[str]:
    pages_of_model: Any = admin.site._registry[page.model]
    return ["delete_selected", *(name for name in pages_of_model.actions or () if isinstance(name, str))]


@each_method
def test_each_role_comes_where_it_is_written_and_nowhere_else(sam: User, whole: bool) -> None:
    boss = at_the_admin(sam)
    people = {name: at_the_admin(in_role(f"{name}@example.com", name)) for name in NOT_OWNERS}
    make_rows(1)
    granted, wrong, opened = roles(), [], Counter[str]()

    for number, page in enumerate(pages()):
        for place, (name, person) in enumerate(people.items()):
            is_open = bool(page.needs() & granted[name])
            closed_by = METHODS if whole else (METHODS[(number + place) % 2],)
            for method in ("GET",) if is_open else closed_by:
                code = status(person, page, method)
                opened[name] += code == 200
                # Some pages are closed to everybody, superusers included.
                if (code == 403) == is_open and not (is_open and status(boss, page, method) == 403):
                    wrong.append(f"{name} {method} {page.address} {page.name}: {code}")

    assert wrong == []
    assert min(opened[name] for name in NOT_OWNERS) > 20


def test_the_owner_may_do_whatever_pages_of_the_admin_need() -> None:
    make_rows(1)

    assert [page.name for page in pages() if not page.needs() & set(roles()[OWNER])] == []


@pytest.mark.parametrize("name", NOT_OWNERS)
def test_a_list_that_may_only_be_seen_carries_out_nothing(name: str) -> None:
    person, granted = at_the_admin(in_role("person@example.com", name)), set(roles()[name])
    make_rows(1)
    changed = []

    for page in pages():
        meta = page.model._meta
        acts = {act for act in ("change", "delete", "view") if f"{meta.app_label}.{act}_{meta.model_name}" in granted}
        if page.kind != "changelist" or acts != {"view"}:
            continue
        before = list(page.model._default_manager.order_by("pk").values())
        for act in bulk_actions(page):
            keys = [row[meta.pk.attname] for row in before]
            person.post(page.address, {"action": act, "_selected_action": keys, "post": "yes"})
        if list(page.model._default_manager.order_by("pk").values()) != before:
            changed.append(meta.label)

    assert changed == []
