"""Every preference there is: its default is a value of its kind, and its field brings back what stands in it."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.rights import OWNER
from preferences.kinds import Image
from preferences.models import PreferenceChange
from preferences.numbers import Number
from preferences.registry import Preference, declared
from tests.pages import page_words
from tests.preferences.typed import as_typed
from tests.security.staff import at_the_admin, in_role

PAGE = reverse("admin:preferences_preferencechange_changelist")
EACH = pytest.mark.parametrize("preference", declared(), ids=lambda one: one.name)
NUMBERS = [one for one in declared() if isinstance(one.kind, Number)]
OF_SETTINGS = [one for one in declared() if one.setting]


@EACH
def test_the_default_is_a_value_of_its_kind(preference: Preference[Any]) -> None:
    default = preference.default_value

    assert preference.kind.read(preference.kind.write(default)) == default


@EACH
def test_it_is_told_what_it_is_in_every_language(preference: Preference[Any]) -> None:
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            assert str(preference.title)
            assert str(preference.group.title)
            if isinstance(preference.kind, Number):
                assert preference.kind.limits
                assert preference.kind.said(preference.default_value)


@pytest.mark.parametrize("preference", NUMBERS, ids=lambda one: one.name)
def test_limits_are_taken_and_what_lies_beyond_is_not(preference: Preference[Any]) -> None:
    kind: Any = preference.kind
    for limit in (kind.least, kind.most):
        assert kind.read(_stored(limit)) is not None
    for beyond in (kind.least - 1, kind.most + 1):
        with pytest.raises(Exception, match="Enter"):
            kind.read(_stored(beyond))


def _stored(limit: Any) -> Any:
    """A limit as it would be stored: percents are kept as texts."""
    return str(limit) if isinstance(limit, Decimal) else limit


@pytest.mark.django_db
def test_every_preference_has_its_field_in_its_section_and_saving_the_page_changes_nothing() -> None:
    desk = at_the_admin(in_role("owner@example.com", OWNER))
    page = desk.get(PAGE)
    markup = page.content.decode()
    for preference in declared():
        assert f'id="{preference.group.anchor}"' in markup
        assert f'href="#{preference.group.anchor}"' in markup
        assert f'name="{preference.name}' in markup
        if isinstance(preference.kind, Number):
            assert preference.kind.limits in page_words(page)

    answer = desk.post(PAGE, as_typed(page.context["form"]), follow=True)

    assert "Nothing was different" in page_words(answer)
    assert not PreferenceChange.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("preference", OF_SETTINGS, ids=lambda one: one.name)
def test_what_the_environment_sets_is_shown_and_says_so(preference: Preference[Any], settings: Any) -> None:
    settings.SET_IN_ENVIRONMENT = {preference.setting}
    desk = at_the_admin(in_role("owner@example.com", OWNER))

    page = desk.get(PAGE)

    assert f"Set as {preference.setting} in the environment" in page_words(page)
    assert page.context["form"].fields[preference.name].disabled


def test_every_group_has_an_anchor_of_its_own() -> None:
    groups = {preference.group for preference in declared()}

    assert len({group.anchor for group in groups}) == len({group.place for group in groups}) == len(groups)


def test_pictures_are_the_only_kind_that_is_no_text() -> None:
    assert [one.name for one in declared() if isinstance(one.kind, Image)] == ["logo"]


def test_nobody_else_sees_the_page(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
