"""Rules and canned answers at the admin: switched, timed, worded; placeholders are checked, texts can be looked at."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from support.models import CannedAnswer, FirstAnswerRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def rule(code: str) -> tuple[FirstAnswerRule, str]:
    row = FirstAnswerRule.objects.get(code=code)
    return row, reverse("admin:support_firstanswerrule_change", args=[row.pk])


def test_rule_when_the_owner_words_and_switches_it_then_that_is_kept(desk) -> None:
    row, page = rule("refill_cool_down")

    typed = {"hours": "48", "text_en": "Wait until {until}.", "text_ru": "Подождите до {until}."}
    desk.post(page, typed)

    row.refresh_from_db()
    assert (row.active, row.hours) == (False, 48)
    assert row.texts == {"en": "Wait until {until}.", "ru": "Подождите до {until}."}


@pytest.mark.parametrize("text", ["Until {by}.", "Until {until", "Until {until.year}", "{}", "{UNTIL}"])
def test_rule_when_a_placeholder_is_none_of_its_own_then_it_is_not_saved(desk, text) -> None:
    row, page = rule("refill_cool_down")

    shown = desk.post(page, {"active": "on", "hours": "48", "text_en": text})

    row.refresh_from_db()
    assert row.texts == {}
    assert "{until}" in str(shown.context["adminform"].form.errors["text_en"])


@pytest.mark.parametrize("hours", ["0", "", "9999999", "-1"])
def test_rule_when_hours_are_none_then_it_is_not_saved(desk, hours) -> None:
    row, page = rule("refill_cool_down")

    shown = desk.post(page, {"active": "on", "hours": hours})

    row.refresh_from_db()
    assert row.hours == 24
    assert "hours" in shown.context["adminform"].form.errors


def test_rule_when_a_preview_is_asked_for_then_it_is_shown_and_nothing_saved(desk) -> None:
    row, page = rule("partial_refunded")

    shown = desk.post(page, {"active": "on", "text_en": "{amount} is <b>back</b>.", "_preview": "1"})

    row.refresh_from_db()
    text = shown.content.decode()
    assert row.texts == {}
    assert "$1.20 is &lt;b&gt;back&lt;/b&gt;." in text
    assert "hours" not in shown.context["adminform"].form.fields


def test_rules_when_the_list_is_opened_then_each_has_its_name(desk) -> None:
    text = desk.get(reverse("admin:support_firstanswerrule_changelist")).content.decode()

    assert "Still within the usual time" in text
    assert "in_usual_time" not in text


def test_canned_answer_when_it_is_written_then_placeholders_are_checked_and_a_language_is_enough(desk) -> None:
    page = reverse("admin:support_cannedanswer_add")
    typed = {"name": "Delay", "reasons": ["slow"], "active": "on"}

    empty = desk.post(page, typed)
    wrong = desk.post(page, {**typed, "text_ru": "{nobody}"})
    seen = desk.post(page, {**typed, "text_ru": "Заказ {order}", "_preview": "1"})
    assert not CannedAnswer.objects.exists()
    desk.post(page, {**typed, "text_ru": "Заказ {order}"})

    answer = CannedAnswer.objects.get()
    assert (answer.texts, answer.reasons) == ({"ru": "Заказ {order}"}, ["slow"])
    assert empty.context["adminform"].form.non_field_errors() == ["Write the text in one language at least."]
    assert "text_ru" in wrong.context["adminform"].form.errors
    assert "Заказ #1024" in seen.content.decode()
