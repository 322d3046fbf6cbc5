"""Attack: whoever acts at the admin posts more than the form has, so that the trail tells of something else."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import TrailEntry, User
from sms.models import Country
from tests.security.staff import at_the_admin
from tests.wallet.by_hand import balance
from wallet.models import Wallet

pytestmark = pytest.mark.django_db
COUNTRIES = reverse("admin:sms_country_changelist")


@pytest.fixture
def desk(sam: User) -> Client:
    return at_the_admin(sam)


def country(number: int) -> Country:
    return Country.objects.create(name=f"Country {number}", code=f"{number}", search_text=f"country {number}")


def last(action: str = TrailEntry.Action.ACTED) -> dict:
    after: dict = TrailEntry.objects.filter(action=action).order_by("number").last().after
    return after


@pytest.mark.parametrize("index", ["0", "-2", "nonsense"])
def test_the_action_that_was_carried_out_is_noted_and_not_another_one_beside_it(desk: Client, index: str) -> None:
    row = country(1)

    desk.post(COUNTRIES, {"action": ["hide", "show"], "index": index, "_selected_action": row.pk})

    row.refresh_from_db()
    assert (row.visible, last()["action"]) == (False, "hide")


def test_an_action_on_all_rows_is_not_noted_as_one_on_those_of_a_page(desk: Client) -> None:
    rows = [country(number) for number in range(3)]

    desk.post(COUNTRIES, {"action": "hide", "_selected_action": rows[0].pk, "select_across": "1"})

    assert not Country.objects.filter(visible=True).exists()
    assert (last()["all"], last()["count"]) == (True, 1)


@pytest.mark.parametrize("beside", [{"action": "look"}, {f"a{number}": "x" for number in range(150)}], ids=len)
def test_what_a_dialog_moved_is_noted_whatever_is_posted_beside_it(desk: Client, ann: User, beside: dict) -> None:
    page = reverse("admin:wallet_wallet_adjust", args=[Wallet.objects.get(user=ann).pk])
    before = balance(ann)
    form = {**beside, "_form_submitted": "True", "amount": "5", "note": "Goodwill"}
    form["request_id"] = "0d7a2f0e-5a4e-4c3b-9a39-2f6f4f0e8f11"

    desk.post(page, form)

    assert balance(ann) == before + 5_000_000
    noted = last()["posted"]
    assert (noted.get("amount"), noted.get("note")) == ("5", "Goodwill")


def test_what_the_trail_leaves_out_of_a_question_for_a_file_it_counts(desk: Client) -> None:
    asked = {f"a{number}": "x" for number in range(150)} | {"format": "csv"}

    assert desk.get(reverse("admin:sms_number_report"), asked)["Content-Type"].startswith("text/csv")

    assert last(TrailEntry.Action.EXPORTED)["asked"]["…"] == 51
