"""What tests leave behind for the next one."""

import pytest
from django.core.management import call_command

from catalog.migrations._synonyms import SYNONYMS
from catalog.models import Category, SearchSynonym


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_database_emptied_when_a_test_changed_the_synonyms_then_has_those_of_a_new_shop_again() -> None:
    Category.objects.create(name="A")
    SearchSynonym.objects.filter(typed="ig").delete()
    SearchSynonym.objects.create(typed="o'clock", finds="time")

    call_command("flush", interactive=False, verbosity=0)

    assert not Category.objects.exists()
    assert dict(SearchSynonym.objects.values_list("typed", "finds")) == SYNONYMS
