"""Attack: an address at the admin that spells a row's number so that whoever guards the row does not know it."""

import pytest
from django.contrib import admin
from django.db.models import IntegerField
from django.urls import reverse

from accounts.keys.api_keys import create_api_key
from accounts.models import TrailEntry, User
from accounts.rights import SUPPORT
from tests.security.signing_in import letters_to
from tests.security.staff import at_the_admin, in_role

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
# All of them are the number to Python's int, and so to a query.
each_spelling = pytest.mark.parametrize("spelled", ["+{}", "%20{}", "{}%20", "0{}", "0_{}", "%D9%A0{}"])


@each_spelling
def test_who_helps_customers_reaches_no_key_and_no_password_of_an_owner(sam: User, spelled: str) -> None:
    desk = at_the_admin(in_role("sue@example.com", SUPPORT))
    key, _text = create_api_key(user=sam, name="books", may_read=True)
    keys, accounts = (reverse(f"admin:accounts_{name}_changelist") for name in ("apikey", "user"))
    trail = TrailEntry.objects.count()

    answers = [
        desk.post(f"{keys}{spelled.format(key.pk)}/revoke/", SUBMITTED),
        desk.post(f"{keys}{spelled.format(key.pk)}/rotate/", {**SUBMITTED, "hours": "0"}),
        desk.post(f"{accounts}{spelled.format(sam.pk)}/send-link/", SUBMITTED),
    ]

    key.refresh_from_db()
    assert (key.revoked_at, key.expires_at, sam.api_keys.count()) == (None, None, 1)
    assert letters_to(sam.email) == []
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert TrailEntry.objects.count() == trail


def test_no_page_of_a_row_knows_it_by_another_spelling(sam: User) -> None:
    """The trail notes the row that an address names: it must be the one that the page has found."""
    desk = at_the_admin(sam)
    for model, pages in admin.site._registry.items():
        if not isinstance(model._meta.pk, IntegerField):
            continue
        for page in pages.urls:
            names = page.pattern.regex.groupindex
            if page.name and "object_id" in names:
                address = reverse(f"admin:{page.name}", kwargs={**dict.fromkeys(names, 1), "object_id": "+1"})
                assert desk.post(address, SUBMITTED).status_code == 404, address
