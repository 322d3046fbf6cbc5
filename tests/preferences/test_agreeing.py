"""Values that are right each by itself and cannot hold together are refused, wherever they come from."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from preferences import registry
from preferences.change import Disagree, change_preferences, undo
from preferences.numbers import Whole
from preferences.registry import Group, Preference, declare
from tests.preferences.known import prefer

pytestmark = pytest.mark.django_db
GROUP = Group("Of this test", 99, "test")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> tuple[Preference[int], Preference[int]]:
    monkeypatch.setattr(registry, "_declared", dict(registry._declared))
    least = declare(Preference("least", Whole(0, 100), "Least", GROUP, default=10))

    def not_below(most: int, others: Any) -> None:
        if most < others(least):
            raise ValidationError("below the least")

    return least, declare(Preference("most", Whole(0, 100), "Most", GROUP, default=20, agrees=not_below))


def change(wanted: dict[Preference[int], Any]) -> list[Any]:
    return change_preferences(wanted, actor_id=None, actor="test", now=timezone.now())


def test_neither_of_two_may_pass_the_other(pair: Any) -> None:
    least, most = pair

    for wanted, at in (({least: 21}, "least"), ({most: 9}, "most"), ({least: 50, most: 40}, "most")):
        with pytest.raises(Disagree) as refused:
            change(wanted)
        assert list(refused.value.reasons) == [at]
    change({least: 50, most: 60})
    assert (least.value, most.value) == (50, 60)


def test_a_default_that_comes_back_is_looked_at_as_well(pair: Any) -> None:
    least, most = pair
    change({least: 50, most: 60})

    with pytest.raises(Disagree):
        change({most: None})


def test_an_undo_that_would_not_agree_changes_nothing(pair: Any) -> None:
    least, most = pair
    [raised] = change({most: 60})
    change({least: 50})

    with pytest.raises(ValidationError, match="below the least"):
        undo(raised, actor_id=None, actor="test", now=timezone.now())
    assert most.value == 60


def test_what_is_none_of_theirs_is_saved_all_the_same(pair: Any, settings: Any) -> None:
    least, _most = pair
    other = declare(Preference("other", Whole(0, 5), "Other", GROUP, default=1))
    object.__setattr__(least, "default", 30)  # as a release might have it

    prefer(other, 2)

    assert other.value == 2
