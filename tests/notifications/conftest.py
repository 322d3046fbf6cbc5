"""What the tests of notices share."""

import pytest
from django.test import Client

from accounts.models import User


@pytest.fixture
def shop(client: Client, ann: User) -> Client:
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client
