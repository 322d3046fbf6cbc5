"""The shop's ready-made roles: groups of staff whose rights are kept as the shop says, after every `migrate`.

What each may do stands in `storefront/roles.py`, which knows every app. Other groups are nobody's but the owners'.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps as all_apps
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS, transaction

Roles = Mapping[str, Iterable[str]]  # by the name of the group: permissions as "app.codename"


@dataclass
class Kept:
    """What was done to one role: its rights now, and what was put back or taken away for it."""

    name: str
    count: int
    is_new: bool
    given: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


def keep_roles(roles: Roles, *, using: str = DEFAULT_DB_ALIAS, apps: Any = all_apps) -> list[Kept]:
    """Give each role exactly its permissions, those that exist; return what that changed. Members stay.

    `apps`: the models as far as they are migrated. Nothing is done before there are groups.
    """
    try:
        models = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return []
    wanted = {name: set(permissions) for name, permissions in roles.items()}
    # `migrate` makes permissions one app after the other, and this may come before the last of them.
    labels = {permission.partition(".")[0] for permissions in wanted.values() for permission in permissions}
    for config in all_apps.get_app_configs():
        if config.label in labels:
            create_permissions(config, verbosity=0, using=using, apps=apps)
    with transaction.atomic(using=using):
        return [_keep(name, permissions, using, *models) for name, permissions in wanted.items()]


def _keep(name: str, wanted: set[str], using: str, groups: Any, permissions: Any) -> Kept:
    group, is_new = groups.objects.using(using).get_or_create(name=name)
    rows = permissions.objects.using(using).values_list("content_type__app_label", "codename", "pk")
    ids = {f"{app}.{codename}": pk for app, codename, pk in rows}
    names = {pk: name for name, pk in ids.items()}
    through = groups.permissions.through.objects.using(using).filter(group_id=group.pk)
    before = set(through.values_list("permission_id", flat=True))
    after = {ids[one] for one in wanted if one in ids}
    through.exclude(permission_id__in=after).delete()
    row = groups.permissions.through
    through.bulk_create([row(group_id=group.pk, permission_id=pk) for pk in sorted(after - before)])
    given, taken = (sorted(names[pk] for pk in change) for change in (after - before, before - after))
    return Kept(name, len(after), is_new or not before, given, taken)
