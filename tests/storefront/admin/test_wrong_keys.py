"""What no row can have as its key, posted in the place of a row."""

import pytest
from django.test import Client

from accounts.models import User
from tests.pages import page_words

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


@pytest.mark.parametrize("key", ["0001-01-01T00:00:00+14:00", "x", "1e9", "9" * 40])
def test_form_when_a_row_is_named_by_no_key_is_shown_again_with_its_problem(
    client: Client, sam: User, key: str
) -> None:
    client.force_login(sam)

    page = client.post("/admin/catalog/markuprule/add/", {"scope": "service", "service": key, "percent": "10"})

    assert page.status_code == 200
    assert "Select a valid choice" in page_words(page)
