"""Markup rules at the admin: what would change is shown before it is saved, a loss is refused, and who may do it."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, MarkupRule, Service
from catalog.pricing import price_book
from catalog.pricing.previews import Effect, preview_rule
from catalog.pricing.repricing import reprice_services
from catalog.pricing.rules import Rule
from tests.catalog.listing_rows import put_on_sale
from tests.pages import words

pytestmark = pytest.mark.django_db
ADD = "admin:catalog_markuprule_add"


@pytest.fixture(autouse=True)
def _terms(settings: Any) -> None:
    settings.DEFAULT_MARKUP_PERCENT = Decimal(25)
    settings.FLOOR_MARGIN_PERCENT = Decimal(0)
    settings.UPSTREAM_EXCHANGE_RATE = Decimal(1)


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def rule_of(answer: Any) -> Any:
    return answer.context["adminform"].form


def post_rule(desk: Client, *, rule: MarkupRule | None = None, **fields: str) -> Any:
    address = reverse("admin:catalog_markuprule_change", args=[rule.pk]) if rule else reverse(ADD)
    return desk.post(address, {"scope": "all", "percent": "40", "fixed_micros": "0", **fields})


def visitors_rates() -> dict[int, int]:
    book = price_book(None)
    return {service.pk: book.rate_micros(service) for service in Service.objects.select_related("category")}


def test_preview_when_asked_for_shows_what_would_change_and_saves_nothing(desk: Client) -> None:
    followers = put_on_sale("<b>Followers</b>")
    put_on_sale("Withdrawn", withdrawn_at=timezone.now())
    put_on_sale("Own price", rate_override_micros=5_000_000)
    account = put_on_sale("Account", category="Accounts", rate_per_override=1, rate_upstream_micros=4_000_000)
    MarkupRule.objects.create(scope="service", service=account, percent=90)

    answer = post_rule(desk, rounding=".99", _preview="1")

    assert (answer.status_code, MarkupRule.objects.count()) == (200, 1)
    assert rule_of(answer).errors == {}
    page = words(answer.content.decode())
    assert "Nothing has been saved yet." in page
    assert "Services the rule applies to 2 Price goes up 1 Price goes down 0" in page
    assert f"{followers.upstream_id} <b>Followers</b> per 1,000 $1.875 $2.99 +59.5" in page
    assert "<b>Followers</b>" not in answer.content.decode()
    assert "Account" not in page.partition("What would change")[2].partition("Applies to")[0]


@pytest.mark.parametrize("button", ["_save", "_continue"])
def test_preview_when_it_was_shown_then_save_does_exactly_what_it_said(desk: Client, button: str) -> None:
    for number in range(30):
        put_on_sale(f"Service {number}", rate_upstream_micros=number * 250_000, category=f"Category {number % 3}")
    put_on_sale("Own", rate_override_micros=100_000_000)
    of_one = Category.objects.get(name="Category 1")
    MarkupRule.objects.create(scope="category", category=of_one, percent=60)
    reprice_services(now=timezone.now())
    before = visitors_rates()
    form = {"percent": "10", "fixed_micros": "0.2", "floor_percent": "20", "rounding": "0.10"}

    [effect] = rule_of(post_rule(desk, **form, _preview="1")).effects
    assert post_rule(desk, **form, **{button: "1"}).status_code == 302

    after = visitors_rates()
    dearer = {pk for pk in before if after[pk] > before[pk]}
    cheaper = {pk for pk in before if after[pk] < before[pk]}
    assert dearer
    assert cheaper
    assert (effect.dearer, effect.cheaper, effect.hit) == (len(dearer), len(cheaper), 21)
    shown = [*effect.largest_increases, *effect.largest_decreases]
    assert [(line.before_micros, line.after_micros) for line in shown] == [
        (before[line.id], after[line.id]) for line in shown
    ]
    assert {line.id for line in effect.largest_decreases} <= cheaper
    assert len(effect.largest_increases) == min(len(dearer), 10)


def test_preview_when_a_saved_rule_is_edited_compares_with_what_it_says_now(desk: Client) -> None:
    one, other = put_on_sale("One"), put_on_sale("Other", category="TikTok")
    rule = MarkupRule.objects.create(scope="category", category=one.category, percent=50)

    answer = post_rule(desk, rule=rule, scope="category", category=str(other.category_id), percent="100", _preview="1")

    [effect] = rule_of(answer).effects
    assert (effect.hit, effect.dearer, effect.cheaper) == (1, 1, 1)
    assert [(line.id, line.after_micros) for line in effect.largest_increases] == [(other.pk, 3_000_000)]
    assert [(line.id, line.after_micros) for line in effect.largest_decreases] == [(one.pk, 1_875_000)]


def test_preview_when_the_rule_begins_later_says_what_changes_then(desk: Client) -> None:
    put_on_sale("One")
    now = timezone.now()
    tomorrow = now + timedelta(days=1)
    rule = MarkupRule.objects.create(scope="all", percent=50)

    def effects(**fields: Any) -> list[tuple[bool, int, int]]:
        candidate = MarkupRule(**{"scope": "all", "percent": Decimal(100), "valid_from": tomorrow, **fields})
        return [(found.at_once, found.dearer, found.cheaper) for found in preview_rule(Rule.of(candidate), now=now)]

    assert effects() == [(False, 1, 0)]
    assert effects(pk=rule.pk) == [(True, 0, 1), (False, 1, 0)]
    assert effects(valid_from=None, valid_until=now) == [(True, 0, 0)]


def test_preview_counts_what_the_floor_holds_and_what_earns_nothing(settings: Any) -> None:
    settings.FLOOR_MARGIN_PERCENT = Decimal(10)
    put_on_sale("cheap", rate_upstream_micros=100_000)
    put_on_sale("dear", rate_upstream_micros=10_000_000)
    put_on_sale("free", rate_upstream_micros=0)
    now = timezone.now()

    def counts(**fields: Any) -> tuple[int, int, int]:
        candidate = MarkupRule(**{"scope": "all", "percent": Decimal(0), **fields})
        [effect] = preview_rule(Rule.of(candidate), now=now)
        return effect.lifted, effect.at_cost, effect.below_cost

    assert counts() == (2, 1, 0)
    assert counts(floor_percent=Decimal(0)) == (0, 3, 0)
    assert counts(fixed_micros=50_000) == (1, 0, 0)
    assert counts(percent=Decimal(-5), fixed_micros=50_000) == (1, 0, 1)


def test_save_when_very_many_prices_change_shows_them_once_first(desk: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("catalog.admin.rule_form.SHOWN_UNASKED_ABOVE", 2)
    for number in range(3):
        put_on_sale(f"Service {number}")

    shown = post_rule(desk, _save="1")
    assert (shown.status_code, MarkupRule.objects.count()) == (200, 0)
    [previewed] = re.findall(r'name="previewed" value="(\w+)"', shown.content.decode())

    assert post_rule(desk, percent="41", previewed=previewed, _save="1").status_code == 200
    assert MarkupRule.objects.count() == 0
    assert post_rule(desk, previewed=previewed, _save="1").status_code == 302
    assert MarkupRule.objects.get().percent == 40
    assert visitors_rates() == dict.fromkeys(visitors_rates(), 2_100_000)


def test_save_when_a_service_would_be_sold_below_cost_is_refused_with_the_list(desk: Client) -> None:
    put_on_sale("fine", rate_upstream_micros=1_000_000)
    put_on_sale("withdrawn", rate_upstream_micros=90_000_000, withdrawn_at=timezone.now())
    ruled = put_on_sale("ruled", rate_upstream_micros=90_000_000)
    MarkupRule.objects.create(scope="service", service=ruled, percent=5)
    put_on_sale("rate override", rate_upstream_micros=90_000_000, rate_override_micros=100_000_000)
    dear = [put_on_sale(f"dear {number}", rate_upstream_micros=(10 + number) * 1_000_000) for number in range(22)]

    answer = post_rule(desk, percent="-10", fixed_micros="0.50")

    assert MarkupRule.objects.count() == 1
    errors = rule_of(answer).errors["__all__"]
    assert errors[0] == "22 services would be sold below cost:"
    assert errors[1] == f"#{dear[21].upstream_id} dear 21: costs 31.00, would sell at 28.40."
    assert (len(errors), errors[-1]) == (22, "And 2 more.")
    assert post_rule(desk, percent="-10", fixed_micros="3.10", _save="1").status_code == 302


def test_save_when_only_rounding_up_brings_the_cost_in_is_accepted(desk: Client) -> None:
    put_on_sale("one", rate_upstream_micros=1_500_000)

    assert "__all__" in rule_of(post_rule(desk, percent="-10", fixed_micros="0.05")).errors
    assert post_rule(desk, percent="-10", fixed_micros="0.05", rounding="0.50").status_code == 302


def test_save_when_there_is_a_lasting_rule_takes_one_that_ends_beside_it(desk: Client) -> None:
    put_on_sale("one")
    MarkupRule.objects.create(scope="all", percent=20)

    assert rule_of(post_rule(desk)).errors.keys() == {"scope"}
    assert post_rule(desk, valid_until_0="2099-01-01", valid_until_1="00:00:00").status_code == 302

    assert price_book(None).markup(Service.objects.get()).percent == 40
    listed = words(desk.get(reverse("admin:catalog_markuprule_changelist")).content.decode())
    assert "until Jan 1, 2099" in listed


@pytest.mark.parametrize("services", [1, 3])
def test_preview_for_more_services_asks_as_often(services: int, django_assert_num_queries: Any) -> None:
    for number in range(services):
        put_on_sale(f"Service {number}")
    candidate = Rule.of(MarkupRule(scope="all", percent=Decimal(100)))

    with django_assert_num_queries(4):
        effects: list[Effect] = preview_rule(candidate, now=timezone.now())

    assert effects[0].dearer == services


@pytest.mark.parametrize(
    ("rights", "pages"),
    [(["view"], (200, 403, 403)), (["view", "change"], (200, 200, 403)), (["view", "add"], (200, 403, 200))],
)
def test_pages_of_rules_open_and_preview_only_for_who_may_save_them(
    client: Client, rights: list[str], pages: tuple[int, int, int]
) -> None:
    put_on_sale("one")
    rule = MarkupRule.objects.create(scope="all", percent=20)
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=[f"{right}_markuprule" for right in rights]))
    client.force_login(clerk)

    listed = client.get(reverse("admin:catalog_markuprule_changelist"))
    changed, added = post_rule(client, rule=rule, _preview="1"), post_rule(client, _preview="1")

    assert (listed.status_code, changed.status_code, added.status_code) == pages
    assert MarkupRule.objects.get().percent == 20
    if rights == ["view"]:
        page = client.get(reverse("admin:catalog_markuprule_change", args=[rule.pk]))
        assert page.status_code == 200
        assert "_preview" not in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "stored"), [("1.49", None), ("1.50", 1_500_000), ("", None), ("0", None), ("1000000.01", None)]
)
def test_own_price_when_it_is_below_cost_is_refused(desk: Client, typed: str, stored: int | None) -> None:
    service = put_on_sale("one")
    page = reverse("admin:catalog_service_change", args=[service.pk])

    answer = desk.post(page, {"visible": "on", "position": "0", "rate_override_micros": typed})

    assert Service.objects.get().rate_override_micros == stored
    accepted = stored is not None or typed == ""
    assert answer.status_code == (302 if accepted else 200)
    if typed == "1.49":
        assert rule_of(answer).errors == {"rate_override_micros": [("This is below cost: the service costs $1.50.")]}


def test_order_page_says_how_the_order_was_priced(desk: Client, ann: User, service: Service) -> None:
    from orders.placing.place import place_order

    order = place_order(
        user=ann, service=service, quantity=1000, link="https://example.com/me", request_id="1", now=timezone.now()
    )
    address = reverse("admin:orders_order_change", args=[order.pk])

    page = words(desk.get(address).content.decode())
    assert "The shop's default markup: 25%. Never below cost plus 0%. Result: 1.875 USD per 1,000." in page
    assert "promised" not in page

    type(order).objects.filter(pk=order.pk).update(rate_micros=1_400_000, accepted_loss_micros=100_000)
    page = words(desk.get(address).content.decode())
    assert "The customer was promised $1.40. The shop accepted a loss of $0.10 to keep that promise." in page
