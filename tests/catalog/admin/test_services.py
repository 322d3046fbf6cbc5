"""What staff decides about the catalog: overrides, hiding, markup rules with errors beside the field."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, MarkupRule, Service
from tests.storefront.admin_rows import make_rows, make_service

pytestmark = pytest.mark.django_db
LASTING = "A permanent rule for this already exists. Edit that one, or set a start or end for this one."


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def listing(db: None) -> list[Service]:
    """Two services in two categories."""
    return [make_service(number) for number in (1, 2)]


def test_service_when_edited_then_overrides_change_and_upstreams_fields_do_not(
    desk: Client, listing: list[Service]
) -> None:
    form = {
        "display_name": "Fans",
        "description": "Nice ones",
        "visible": "on",
        "position": "3",
        "delivery_override": "email",
        "rate_per_override": "1",
        "paused_because": "too dear",
        "name": "hacked",
        "rate_upstream_micros": "0",
        "max_quantity": "1",
    }

    desk.post(reverse("admin:catalog_service_change", args=[listing[0].pk]), form)

    service = Service.objects.get(pk=listing[0].pk)
    assert (service.title, service.description, service.position) == ("Fans", "Nice ones", 3)
    assert (service.delivery, service.rate_per, service.paused_because) == ("email", 1, "too dear")
    assert (service.name, service.rate_upstream_micros, service.max_quantity) == ("Service 1", 1_500_000, 1000)
    assert Service.objects.matching("fans").get() == service


def test_category_when_renamed_then_its_services_are_found_by_the_new_name(
    desk: Client, listing: list[Service]
) -> None:
    category = listing[0].category
    form = {"display_name": "Telegram", "delivery": "link", "rate_per": "1", "visible": "on", "position": "0"}

    desk.post(reverse("admin:catalog_category_change", args=[category.pk]), form)

    assert Service.objects.matching("telegram").get() == listing[0]
    assert Service.objects.get(pk=listing[0].pk).rate_per == 1
    assert Category.objects.get(pk=category.pk).name == "Category 1"


def test_services_when_hidden_and_shown_in_bulk_then_only_the_chosen_change(
    desk: Client, listing: list[Service]
) -> None:
    address = reverse("admin:catalog_service_changelist")

    answer = desk.post(address, {"action": "hide", "_selected_action": [listing[0].pk]}, follow=True)

    assert [str(message) for message in answer.context["messages"]] == ["1 service changed."]
    assert list(Service.objects.order_by("pk").values_list("visible", flat=True)) == [False, True]
    desk.post(address, {"action": "show", "_selected_action": [listing[0].pk, listing[1].pk]})
    assert list(Service.objects.order_by("pk").values_list("visible", flat=True)) == [True, True]


@pytest.mark.parametrize(
    ("changed", "sale"), [({"visible": False}, "hidden"), ({"paused_because": "x"}, "paused"), ({}, "on")]
)
def test_services_when_filtered_by_sale_then_only_those_are_listed(
    desk: Client, listing: list[Service], changed: dict, sale: str
) -> None:
    Service.objects.filter(pk=listing[1].pk).update(visible=False, paused_because="y")
    expected = {"hidden": {listing[1].pk}, "paused": {listing[1].pk}, "on": {listing[0].pk}}[sale]
    if changed:
        Service.objects.filter(pk=listing[0].pk).update(**changed)
        expected = {*expected, listing[0].pk}

    page = desk.get(reverse("admin:catalog_service_changelist"), {"sale": sale})

    assert {service.pk for service in page.context["cl"].result_list} == expected


def test_services_when_searched_by_upstream_id_or_words_then_they_are_found(
    desk: Client, listing: list[Service]
) -> None:
    for words in ("2", "SERVICE 2"):
        page = desk.get(reverse("admin:catalog_service_changelist"), {"q": words})

        assert [service.pk for service in page.context["cl"].result_list] == [listing[1].pk]


def save_rule(desk: Client, **fields: Any) -> Any:
    form = {"percent": "30", "fixed_micros": "0", **fields}
    return desk.post(reverse("admin:catalog_markuprule_add"), form)


def test_markup_rule_when_saved_then_money_is_typed_as_a_decimal_and_other_targets_are_cleared(
    desk: Client, listing: list[Service]
) -> None:
    save_rule(desk, scope="service", service=listing[0].pk, category=listing[1].category_id, fixed_micros="0.25")

    rule = MarkupRule.objects.get()
    assert (rule.service, rule.category, rule.subcategory) == (listing[0], None, None)
    assert (rule.percent, rule.fixed_micros) == (Decimal(30), 250_000)
    page = desk.get(reverse("admin:catalog_markuprule_change", args=[rule.pk]))
    assert 'value="0.25"' in page.content.decode()


def test_markup_rule_when_saved_unchanged_then_the_history_claims_no_change_of_money(
    desk: Client, listing: list[Service]
) -> None:
    rule = MarkupRule.objects.create(scope="service", service=listing[0], percent=30, fixed_micros=250_000)
    address = reverse("admin:catalog_markuprule_change", args=[rule.pk])

    desk.post(address, {"scope": "service", "service": listing[0].pk, "percent": "30", "fixed_micros": "0.250"})
    desk.post(address, {"scope": "service", "service": listing[0].pk, "percent": "30", "fixed_micros": "0.5"})

    history = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert history == ["No fields changed.", "Changed Fixed amount."]


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({"scope": "service"}, "service", "Choose what the rule applies to."),
        ({"scope": "category"}, "category", "Choose what the rule applies to."),
        ({"scope": "subcategory", "category": "1"}, "subcategory", "Choose what the rule applies to."),
        ({"scope": "all"}, "scope", LASTING),
        ({"scope": "service", "service": "taken"}, "service", LASTING),
        ({"scope": "service", "service": "free", "percent": "-1"}, "percent", None),
        (
            {"scope": "service", "service": "free", "percent": "0", "fixed_micros": "-0.1"},
            "fixed_micros",
            "Can be negative only if a percentage makes up for it.",
        ),
        ({"scope": "service", "service": "free", "fixed_micros": "1000000.01"}, "fixed_micros", None),
        (
            {
                "scope": "all",
                "valid_from_0": "2030-02-01",
                "valid_from_1": "0:00",
                "valid_until_0": "2030-01-01",
                "valid_until_1": "0:00",
            },
            "valid_until",
            "The rule must end after it starts.",
        ),
        ({"scope": "service", "service": "free", "floor_percent": "-1"}, "floor_percent", None),
        ({"scope": "service", "service": "free", "rounding": "0.03"}, "rounding", None),
        ({"scope": "service", "service": "free", "fixed_micros": "0.0000001"}, "fixed_micros", None),
        ({"scope": "nothing"}, "scope", None),
    ],
)
def test_markup_rule_when_a_value_is_wrong_then_the_error_is_beside_it(
    desk: Client, listing: list[Service], fields: dict, field: str, error: str | None
) -> None:
    MarkupRule.objects.create(scope="all", percent=20)
    MarkupRule.objects.create(scope="service", service=listing[0], percent=20)
    named = {"taken": listing[0].pk, "free": listing[1].pk}

    answer = save_rule(desk, **{name: named.get(value, value) for name, value in fields.items()})

    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    assert error is None or errors[field] == [error]
    assert MarkupRule.objects.count() == 2


def test_sync_run_when_opened_then_rows_set_aside_are_text_and_not_markup(desk: Client) -> None:
    make_rows(1)
    run = desk.get(reverse("admin:catalog_syncrun_changelist")).context["cl"].result_list[0]

    address = reverse("admin:catalog_syncrun_change", args=[run.pk])
    page = desk.get(address, {"show": "set_aside"}).content.decode()

    assert "&lt;b&gt;not a number&lt;/b&gt;" in page
    assert "<b>not a number</b>" not in page
    assert "late" in page


def test_category_when_its_unit_is_confirmed_with_one_click_then_it_is_certain_and_written_down(
    desk: Client, listing: list[Service]
) -> None:
    Category.objects.update(rate_confirmed_at=None)
    category = listing[0].category
    listed = reverse("admin:catalog_category_changelist")
    assert len(desk.get(listed, {"rate_confirmed_at__isempty": "1"}).context["cl"].result_list) == 2

    address = reverse("admin:catalog_category_confirm_unit", args=[category.pk])
    assert desk.get(address).status_code == 200
    assert Category.objects.get(pk=category.pk).rate_confirmed_at is None
    answer = desk.post(address, {"_form_submitted": "True"}, follow=True)

    assert [str(message) for message in answer.context["messages"]] == ["1 category has been confirmed."]
    category.refresh_from_db()
    assert (category.rate_confirmed_at is not None, category.rate_per) == (True, 1000)
    assert len(desk.get(listed, {"rate_confirmed_at__isempty": "1"}).context["cl"].result_list) == 1


@pytest.mark.parametrize(
    ("chosen", "setting", "proved", "said"),
    [
        ("goods", "vault", False, "No order has proved it yet."),
        ("goods", "vault", True, "An order has proved it."),
        ("goods", "email", False, "Goods by email"),
        ("vault", "email", False, "No order has proved it yet."),
        ("link", "vault", False, "the customer enters a URL"),
    ],
)
def test_category_when_opened_then_it_says_how_goods_are_delivered_now(
    desk: Client, listing: list[Service], settings: Any, chosen: str, setting: str, proved: bool, said: str
) -> None:
    settings.GOODS_DELIVERY = setting
    category = listing[0].category
    proved_at = timezone.now() if proved else None
    Category.objects.filter(pk=category.pk).update(delivery=chosen, vault_proved_at=proved_at)

    page = desk.get(reverse("admin:catalog_category_change", args=[category.pk]))

    [line] = [line for line in page.context["adminform"] for line in line if "delivery_now" in line.fields]
    assert said in str(next(iter(line)).contents())


@pytest.mark.parametrize("delivery", ["goods", "vault", "email", "link"])
def test_category_when_its_delivery_is_chosen_then_it_is_kept(
    desk: Client, listing: list[Service], delivery: str
) -> None:
    category = listing[0].category
    form = {"display_name": "", "delivery": delivery, "rate_per": "", "visible": "on", "position": "4"}

    desk.post(reverse("admin:catalog_category_change", args=[category.pk]), form)

    assert Category.objects.get(pk=category.pk).delivery == delivery


def test_categories_when_confirmed_in_bulk_then_all_of_them_are(desk: Client, listing: list[Service]) -> None:
    Category.objects.update(rate_confirmed_at=None, rate_per=1)
    chosen = [service.category_id for service in listing]

    desk.post(reverse("admin:catalog_category_changelist"), {"action": "confirm_units", "_selected_action": chosen})

    assert not Category.objects.filter(rate_confirmed_at=None).exists()
    assert set(Category.objects.values_list("rate_per", flat=True)) == {1}


def test_category_when_its_unit_is_changed_then_it_has_to_be_confirmed_again(
    desk: Client, listing: list[Service]
) -> None:
    category = listing[0].category
    form = {"display_name": "", "delivery": "link", "rate_per": "", "visible": "on", "position": "4"}
    address = reverse("admin:catalog_category_change", args=[category.pk])

    desk.post(address, form)
    assert Category.objects.get(pk=category.pk).rate_confirmed_at is not None
    desk.post(address, {**form, "rate_per": "1"})

    assert Category.objects.get(pk=category.pk).rate_confirmed_at is None


def test_services_of_a_type_we_do_not_know_are_listed_by_it(desk: Client, listing: list[Service]) -> None:
    Service.objects.filter(pk=listing[0].pk).update(type="Poll & votes")

    listed = desk.get(reverse("admin:catalog_service_changelist"), {"type__exact": "Poll & votes"}).content.decode()

    assert (listing[0].title in listed, listing[1].title in listed) == (True, False)
