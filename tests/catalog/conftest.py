"""What the tests of the catalog may ask for besides what everybody may."""

import pytest

from catalog.sync.sync_catalog import sync_catalog
from tests.catalog.syncs import NOW, stored
from upstream.client import Client


@pytest.fixture
def synced(db: None, client_upstream: Client) -> list[tuple]:
    """A catalog after its first sync, at NOW; the rows as they are then."""
    sync_catalog(client=client_upstream, now=NOW)
    return stored()
