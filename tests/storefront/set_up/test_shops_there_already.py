"""Shops that were there before the set-up was: whoever sells, or has customers, is not asked to begin anew."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from preferences.doors import SET_UP_DONE
from preferences.models import PreferenceChange
from preferences.stored import ask_the_database
from storefront.set_up.operations import close_set_up

pytestmark = pytest.mark.django_db


def migrated() -> bool:
    migration = import_module("storefront.migrations.0001_initial")
    migration.leave_open_what_is_open(apps, SimpleNamespace(connection=connection))
    ask_the_database()
    return SET_UP_DONE.value


def test_a_shop_that_sells_is_not_set_up_again_by_an_upgrade(service: Service) -> None:
    assert migrated()
    assert migrated()
    assert PreferenceChange.objects.count() == 1


def test_a_shop_with_customers_is_not_either(ann: User) -> None:
    assert migrated()


def test_an_empty_one_with_its_owner_alone_is(sam: User) -> None:
    assert not migrated()


def test_the_demo_is_set_up(db: None) -> None:
    close_set_up(now=timezone.now())
    close_set_up(now=timezone.now())

    assert SET_UP_DONE.value
    assert PreferenceChange.objects.count() == 1
