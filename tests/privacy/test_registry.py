"""Whatever leads to an account is decided upon: what its owner gets to read, and what deleting the account does."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import EmailField, Field, GenericIPAddressField, Model

from accounts.append_only import PROTECTED
from accounts.models import User
from jobs.models import StaffJob
from privacy.registry import ACTS_OF_STAFF, TABLES
from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Stays

TABLE_OF = {table.model: table for table in TABLES}
MODELS = [
    model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy and model._meta.managed
]
pytestmark = pytest.mark.django_db


def relations(model: type[Model]) -> Iterator[Field]:
    """The fields of a model that lead to another row."""
    return (field for field in model._meta.get_fields() if field.concrete and field.is_relation and field.related_model)


def leads_to_customers(field: Field) -> bool:
    return field.related_model is User or field.related_model._meta.label in TABLE_OF


def undecided(model: type[Model]) -> list[str]:
    """The relations of a model to accounts, or to what belongs to one, that nobody has decided upon."""
    table, found = TABLE_OF.get(model._meta.label), []
    # Django's own between accounts and staff's rights: nothing but whose right it is.
    if model._meta.auto_created in (User, apps.get_model("auth.Group")):
        return []
    for field in relations(model):
        name = f"{model._meta.label}.{field.name}"
        if not leads_to_customers(field) or name in ACTS_OF_STAFF or (field.related_model is model and table):
            continue
        way_there = table is not None and (table.owner.split("__")[0] == field.name or field.name in table.others)
        if not way_there:
            found.append(name)
    return found


def test_every_relation_to_a_customer_is_decided_upon() -> None:
    assert [name for model in MODELS for name in undecided(model)] == []


def test_every_table_with_addresses_is_decided_upon() -> None:
    holds = {
        model._meta.label
        for model in MODELS
        if any(isinstance(field, EmailField | GenericIPAddressField) for field in model._meta.get_fields())
    }

    assert holds - set(TABLE_OF) == set()


def test_what_is_named_is_there() -> None:
    labels = {model._meta.label for model in MODELS}
    assert set(TABLE_OF) <= labels
    assert len(TABLE_OF) == len(TABLES)
    names = [table.export.name for table in TABLES if isinstance(table.export, Export)]
    assert len(set(names)) == len(names)
    for name in ACTS_OF_STAFF:
        model, _dot, field = name.rpartition(".")
        assert apps.get_model(model)._meta.get_field(field).related_model in (User, StaffJob)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.model)
def test_a_table_can_be_read_and_emptied_as_it_says(ann, table) -> None:
    rows = table.of(ann)
    if isinstance(table.export, Export):
        list(rows.filter(table.export.only).values_list(*table.export.lookups))
    else:
        assert isinstance(table.export, LeftOut)
        assert table.export.because
    if isinstance(table.deletion, Emptied):
        assert table.deletion.rest
        for column in table.deletion.columns:
            rows.model._meta.get_field(column)
    elif isinstance(table.deletion, Stays):
        assert table.deletion.because
    else:
        assert isinstance(table.deletion, Deleted)


def test_what_only_grows_is_not_touched() -> None:
    grows = {one.table for one in PROTECTED}

    touched = {apps.get_model(table.model)._meta.db_table for table in TABLES if not isinstance(table.deletion, Stays)}

    assert grows & touched == set()


def test_no_export_holds_a_secret() -> None:
    secrets = {
        "password",
        "secret",
        "key_sha256",
        "old_secret_encrypted",
        "secret_encrypted",
        "session_key",
        "claim_token",
    }
    for table in TABLES:
        if isinstance(table.export, Export):
            parts = {part for lookup in table.export.lookups for part in lookup.split("__")}
            assert parts & secrets == set(), table.model
