"""The ready-made roles are kept exactly, and nothing else is touched."""

from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate

from accounts.models import TrailEntry, User
from accounts.rights import FINANCE, OWNER, ROLES, SUPPORT
from storefront.roles import OF_THEIR_OWN, keep_the_roles, roles
from tests.conftest import customer

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
# Permissions of models' own that no role has: a superuser gives them.
NOBODYS: set[str] = set()


def names(group: Group) -> set[str]:
    return {f"{one.content_type.app_label}.{one.codename}" for one in group.permissions.select_related("content_type")}


def after_migrate() -> None:
    post_migrate.send(
        apps.get_app_config("accounts"),
        app_config=apps.get_app_config("accounts"),
        using="default",
        verbosity=0,
        interactive=False,
        apps=apps,
        plan=[],
    )


def test_roles_when_migrated_then_each_has_what_is_written_and_no_more() -> None:
    after_migrate()

    there = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert {name: names(Group.objects.get(name=name)) for name in ROLES} == {
        name: set(permissions) & there for name, permissions in roles().items()
    }


def test_roles_when_written_then_they_name_only_what_there_is() -> None:
    there = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    for permissions in roles().values():
        assert set(permissions) - there <= set(OF_THEIR_OWN)


def test_roles_when_a_model_has_permissions_of_its_own_then_somebody_has_decided_who_has_them() -> None:
    own = {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename, _name in model._meta.permissions
    }

    assert own <= set(OF_THEIR_OWN) | NOBODYS


def test_roles_when_there_is_one_then_the_document_says_what_it_may_do() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| **")]

    assert [row.split("**")[1] for row in rows] == list(ROLES)


def test_roles_when_somebody_has_tampered_then_migrate_puts_them_back_and_says_so() -> None:
    keep_the_roles()
    support, owner = Group.objects.get(name=SUPPORT), Group.objects.get(name=OWNER)
    adjust = Permission.objects.get(codename="change_wallet")
    support.permissions.add(adjust)
    owner.permissions.remove(adjust)
    before = TrailEntry.objects.count()

    after_migrate()
    after_migrate()

    assert names(support) == set(roles()[SUPPORT]) & names(owner)
    assert "wallet.change_wallet" in names(owner)
    entries = TrailEntry.objects.order_by("number")[before:]
    assert [(entry.after["role"], entry.after["given"], entry.after["taken"]) for entry in entries] == [
        (OWNER, ["wallet.change_wallet"], []),
        (SUPPORT, [], ["wallet.change_wallet"]),
    ]


def test_roles_when_owners_have_made_groups_then_they_and_all_members_stay(ann: User) -> None:
    keep_the_roles()
    own = Group.objects.create(name="Own")
    own.permissions.add(Permission.objects.get(codename="change_wallet"))
    sue = customer("sue@example.com", is_staff=True)
    sue.groups.set([own, Group.objects.get(name=FINANCE)])
    sue.user_permissions.add(Permission.objects.get(codename="view_order"))

    call_command("roles")

    assert names(own) == {"wallet.change_wallet"}
    assert {group.name for group in sue.groups.all()} == {"Own", FINANCE}
    assert sue.user_permissions.count() == 1


def test_roles_when_one_is_missing_then_the_command_makes_it_and_says_what_it_gave(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep_the_roles()
    Group.objects.filter(name=FINANCE).delete()

    call_command("roles")

    lines = capsys.readouterr().out.splitlines()
    finance = lines.index(f"Finance: {Group.objects.get(name=FINANCE).permissions.count()} rights")
    assert lines[finance + 1] == "  given: accounts.add_denyrule"
    assert lines[0].startswith("Owner: ")
    assert lines[1].startswith("Finance: ")


def test_migration_when_a_shop_has_a_group_called_owner_then_its_members_own_nothing_by_that(ann: User) -> None:
    Group.objects.filter(name__in=ROLES).delete()
    theirs = Group.objects.create(name=OWNER)
    ann.groups.add(theirs)

    import_module("accounts.migrations.0007_roles").make(apps, connection.schema_editor())
    keep_the_roles()

    assert [group.name for group in ann.groups.all()] == ["Owner (yours 1)"]
    assert not Group.objects.get(name=OWNER).user_set.exists()
    assert Group.objects.get(name="Owner (yours 1)").permissions.count() == 0
