"""Support on a visit: Sue, who may look at the shop as a customer, and what her browser does."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import TrailEntry, User
from tests.conftest import customer

REASON = "Your ticket about a refund"
BAR = "You are looking as"
END = "/account/visit/end/"


@pytest.fixture
def sue(db: None, settings: Any) -> User:
    """Support, where the owner allows visits: sees customers and may look as them, and nothing else."""
    settings.SIGN_IN_AS = True
    user = customer("sue@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_user", "sign_in_as")))
    return user


@pytest.fixture
def desk(client: Client, sue: User) -> Client:
    client.force_login(sue)
    return client


def begin(desk: Client, whose: User, *, reason: str = REASON, **headers):
    return desk.post(
        f"/admin/accounts/user/{whose.pk}/sign-in-as/", {"reason": reason, "_form_submitted": "1"}, **headers
    )


@pytest.fixture
def visit(desk: Client, ann: User) -> Client:
    """Sue's browser, while she looks as Ann."""
    assert begin(desk, ann)["Location"] == reverse("account")
    return desk


def is_looking(browser: Client) -> bool:
    return BAR in browser.get("/").content.decode()


def entries(action: str) -> list[TrailEntry]:
    return list(TrailEntry.objects.filter(action=action).order_by("number"))
