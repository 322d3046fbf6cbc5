"""The owner at the admin."""

import pytest
from django.test import Client

from accounts.rights import OWNER
from tests.security.staff import at_the_admin, in_role


@pytest.fixture
def desk(db: None) -> Client:
    """A browser in which the owner has signed in."""
    return at_the_admin(in_role("owner@example.com", OWNER))
