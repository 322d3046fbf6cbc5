"""Services that staff puts into another category, and services with a markup of their own."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import (
    Category,
    Delivery,
    EditedService,
    ImportRule,
    MarkupRule,
    RateUnit,
    Service,
    ServiceChange,
    ServiceMargin,
    Subcategory,
)
from catalog.operations.overrides import refresh_search_text
from catalog.pricing import price_book
from catalog.pricing.repricing import reprice_services
from catalog.sync.import_rules import apply_import_rules
from catalog.sync.sync_catalog import sync_catalog
from jobs.models import StaffJob
from jobs.run import run_jobs
from orders.columns.goods import read_goods
from orders.models import GoodsFormat, Order, Status
from tests.catalog.syncs import LATER, NOW, QUARTER
from tests.pages import page_words
from tests.storefront.admin_rows import make_order, make_service
from upstream.client import Client as UpstreamClient
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
EDIT = "admin:catalog_service_edit"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def best(db: None) -> Category:
    """A category of the shop's own making, sold by the thousand, at twice the cost."""
    category = Category.objects.create(
        name="Best", display_name="Bestsellers", rate_per=RateUnit.THOUSAND, rate_confirmed_at=timezone.now()
    )
    MarkupRule.objects.create(scope="category", category=category, percent=Decimal(100))
    return category


@pytest.fixture
def listed(db: None) -> list[Service]:
    """Two services that cost 1.50 per thousand, each in a category of its own."""
    made = [make_service(number) for number in (1, 2)]
    refresh_search_text(Service.objects.all())
    reprice_services(now=timezone.now())
    return made


def fresh(service: Service) -> Service:
    return Service.objects.select_related("category").get(pk=service.pk)


def edit(desk: Client, query: str = "", **fields: Any) -> StaffJob:
    """Have an edit previewed, done, and end."""
    seen = desk.post(f"{reverse(EDIT)}?{query}", {**fields, "_preview": "1"})
    desk.post(f"{reverse(EDIT)}?{query}", {**fields, "_apply": "1", "previewed": seen.context["fingerprint"]})
    return at_work()


def at_work() -> StaffJob:
    run_jobs(clock=timezone.now, seconds=20)
    job = StaffJob.objects.latest("pk")
    assert job.state == StaffJob.State.DONE, job.error
    return job


def move(desk: Client, service: Service, category: Category) -> StaffJob:
    return edit(desk, f"id__in={service.pk}", place="put", category=str(category.pk))


def test_preview_when_put_into_a_category_then_place_and_price_are_shown(
    desk: Client, best: Category, listed: list[Service]
) -> None:
    words = page_words(desk.post(reverse(EDIT), {"place": "put", "category": str(best.pk), "_preview": "1"}))

    assert "Services that change 2 category 2 Price goes up 2" in words
    assert "category: Category 1 → Bestsellers $1.875 → $3.00" in words
    assert not Service.objects.filter(category=best).exists()


def test_move_when_done_then_customers_find_it_there_at_that_categorys_price(
    desk: Client, client: Client, best: Category, listed: list[Service]
) -> None:
    service, other = listed
    home, sub = service.category_id, service.subcategory_id

    move(desk, service, best)

    service.refresh_from_db()
    assert (service.category, service.subcategory) == (best, None)
    assert (service.upstream_category_id, service.upstream_subcategory_id) == (home, sub)
    assert (service.selling_rate_micros, price_book(None).rate_micros(service)) == (3_000_000, 3_000_000)
    assert Service.objects.matching("bestsellers").get() == service
    client.logout()
    page = page_words(client.get(reverse("catalog:category", args=[best.pk])))
    assert "Service 1" in page
    assert "Service 2" not in page
    assert "Service 1" not in page_words(client.get(reverse("catalog:category", args=[home])))
    other.refresh_from_db()
    assert other.upstream_category is None


def test_move_when_units_and_delivery_differ_then_the_service_keeps_its_own(
    desk: Client, best: Category, listed: list[Service]
) -> None:
    service = listed[0]
    Category.objects.filter(pk=service.category_id).update(rate_per=RateUnit.ONE, delivery=Delivery.VAULT)

    move(desk, service, best)
    service = Service.objects.select_related("category").get(pk=service.pk)

    assert (service.rate_per, service.delivery) == (RateUnit.ONE, Delivery.VAULT)
    assert price_book(None).price_micros(service, 10) == 30_000_000  # each costs 1.50

    edit(desk, f"id__in={service.pk}", place="back")
    service = Service.objects.select_related("category").get(pk=service.pk)
    assert (service.rate_per_override, service.delivery_override, service.rate_per) == (None, "", RateUnit.ONE)
    assert (service.category.name, service.subcategory.name) == ("Category 1", "Followers")
    assert (service.upstream_category_id, service.upstream_subcategory_id) == (None, None)


@pytest.mark.parametrize("certain", ["home", "best"])
def test_move_when_one_category_has_an_uncertain_unit_then_upstreams_says_whether_it_is_certain(
    desk: Client, client: Client, best: Category, listed: list[Service], certain: str
) -> None:
    service = listed[0]
    home = service.category
    Category.objects.filter(pk=(best if certain == "home" else home).pk).update(rate_confirmed_at=None)

    move(desk, service, best)

    service = fresh(service)
    assert service.rate_confirmed == (certain == "home")
    assert Service.objects.with_price().filter(pk=service.pk).exists() == (certain == "home")
    client.logout()
    page = page_words(client.get(reverse("catalog:category", args=[best.pk]), {"from": "0.01"}))
    assert ("Service 1" in page) == (certain == "home")


@pytest.mark.parametrize("whose", ["home", "best"])
def test_unit_when_a_category_gets_another_one_then_prices_follow_where_upstream_has_the_service(
    desk: Client, best: Category, listed: list[Service], whose: str
) -> None:
    service, home = listed[0], listed[0].category
    move(desk, service, best)
    page = reverse("admin:catalog_category_change", args=[(home if whose == "home" else best).pk])
    initial = desk.get(page).context["adminform"].form.initial
    sent = {name: value for name, value in initial.items() if value is not None}

    desk.post(page, sent | {"visible": "on", "rate_per": "1"})

    service = fresh(service)
    assert (service.rate_per, service.rate_confirmed) == ((1, False) if whose == "home" else (1000, True))
    assert service.selling_per_thousand_micros == (3_000_000_000 if whose == "home" else 3_000_000)


def test_goods_format_when_a_service_was_moved_then_that_of_upstreams_category_counts(
    desk: Client, best: Category, listed: list[Service], ann: User
) -> None:
    order = make_order(ann, service=listed[0])
    GoodsFormat.objects.create(category=listed[0].category, columns="login:password")
    GoodsFormat.objects.create(category=best, columns="email:token")
    before = read_goods(Order.objects.get(pk=order.pk), ["rosa@example.com:pass"])

    move(desk, listed[0], best)

    assert read_goods(Order.objects.get(pk=order.pk), ["rosa@example.com:pass"]) == before


def test_rate_unit_questions_when_services_were_moved_then_a_category_is_asked_with_upstreams_alone(
    desk: Client, best: Category, listed: list[Service], ann: User
) -> None:
    service, home = listed[0], listed[0].category
    move(desk, service, best)
    Category.objects.update(rate_confirmed_at=None)
    make_order(ann, service=fresh(service), charge_upstream_micros=1_500_000, upstream_id="7")

    asked = desk.get(reverse("admin:orders_rateunitquestion_changelist")).context["questions"]

    by_category = {question.category.pk: question for question in asked}
    assert [example.service for example in by_category[home.pk].examples] == [service]
    assert by_category[best.pk].examples == []
    assert (by_category[home.pk].charged is not None, by_category[best.pk].charged) == (True, None)


def test_forwarding_when_a_units_category_has_several_orders_then_moved_ones_wait_their_turn_there(
    desk: Client, best: Category, listed: list[Service], ann: User
) -> None:
    first, moved = listed
    Service.objects.filter(pk=moved.pk).update(category=first.category)
    move(desk, moved, best)
    orders = [make_order(ann, service=fresh(each), status=Status.PAID, upstream_id=None) for each in (first, moved)]
    Category.objects.filter(pk=first.category_id).update(rate_confirmed_at=None)

    assert list(Order.objects.waiting_to_send(timezone.now())) == orders[:1]

    Category.objects.filter(pk=first.category_id).update(rate_confirmed_at=timezone.now())
    assert list(Order.objects.waiting_to_send(timezone.now())) == orders


@pytest.mark.parametrize("into", [True, False])
def test_preview_when_a_category_is_hidden_then_what_appears_and_vanishes_is_told(
    desk: Client, best: Category, listed: list[Service], into: bool
) -> None:
    hidden = best if into else listed[0].category
    Category.objects.filter(pk=hidden.pk).update(visible=False)
    figures = {"orders": 1, "kept_micros": 5_000_000, "cost_micros": 1_000_000, "margin_micros": 4_000_000}
    ServiceMargin.objects.create(service=listed[0], **figures)

    fields = {"place": "put", "category": str(best.pk), "_preview": "1"}
    words = page_words(desk.post(f"{reverse(EDIT)}?id__in={listed[0].pk}", fields))

    assert ("Bestsellers (hidden)" in words) == into
    if into:
        assert "No longer shown 1" in words
        assert "Margin of the last 30 days of what is no longer shown $4.00" in words
    else:
        assert "Shown to customers, which they were not 1" in words


@pytest.mark.parametrize(("fields", "said"), [({"place": "put"}, "Choose a category."),
                                              ({"place": "put", "category": "{merged}"}, "valid choice")])  # fmt: skip
def test_move_when_the_category_is_missing_or_merged_then_the_field_says_so(
    desk: Client, best: Category, listed: list[Service], fields: dict[str, str], said: str
) -> None:
    merged = Category.objects.create(name="Merged", merged_into=best)
    fields = {name: text.format(merged=merged.pk) for name, text in fields.items()}

    assert said in page_words(desk.post(reverse(EDIT), {**fields, "_preview": "1"}))


def test_move_when_put_back_as_a_job_then_all_is_as_before(desk: Client, best: Category, listed: list[Service]) -> None:
    before = Service.objects.filter(pk=listed[0].pk).values().get()
    job = move(desk, listed[0], best)
    assert EditedService.objects.filter(job=job).count() == 1

    desk.post(reverse("admin:catalog_service_edits"), {"job": job.pk})
    at_work()

    assert Service.objects.filter(pk=listed[0].pk).values().get() == before


def test_import_rules_when_a_service_was_moved_then_they_go_by_upstreams_category(
    desk: Client, best: Category, listed: list[Service]
) -> None:
    service = listed[0]
    move(desk, service, best)
    ImportRule.objects.create(category="Category 1", outcome=ImportRule.Outcome.LEAVE)

    apply_import_rules()

    assert list(Service.objects.filter(visible=False)) == [service]
    form = desk.get(reverse("admin:catalog_service_change", args=[service.pk])).context["adminform"].form
    answered = desk.post(
        reverse("admin:catalog_service_change", args=[service.pk]),
        {name: value for name, value in form.initial.items() if value is not None} | {"visible": "on"},
    )
    assert "An import rule leaves this service out." in page_words(answered)
    words = page_words(desk.post(f"{reverse(EDIT)}?id__in={service.pk}", {"visible": "show", "_preview": "1"}))
    assert "An import rule leaves this service out." in words


class TestSync:
    """A sync leaves a moved service where it is, and keeps where upstream has it."""

    @pytest.fixture
    def moved(self, desk: Client, best: Category, client_upstream: UpstreamClient) -> Service:
        """One of upstream's services, of an Instagram category, moved after the first sync."""
        sync_catalog(client=client_upstream, now=NOW)
        Category.objects.update(rate_confirmed_at=NOW)
        move(desk, Service.objects.get(upstream_id=1), best)
        return Service.objects.get(upstream_id=1)

    def test_when_nothing_changed_then_nothing_is_written(
        self, moved: Service, client_upstream: UpstreamClient
    ) -> None:
        before = Service.objects.filter(pk=moved.pk).values().get()

        run = sync_catalog(client=client_upstream, now=LATER, in_full=True)

        assert (run.status, run.changed) == ("unchanged", 0)
        assert Service.objects.filter(pk=moved.pk).values().get() == before

    def test_when_its_rate_changed_then_the_price_is_by_its_own_category(
        self, moved: Service, best: Category, client_upstream: UpstreamClient, sandbox: Sandbox
    ) -> None:
        sandbox.set_service(1, rate="0.60")

        run = sync_catalog(client=client_upstream, now=LATER)

        moved.refresh_from_db()
        assert (run.changed, run.repriced) == (1, 1)
        assert (moved.category, moved.subcategory, moved.selling_rate_micros) == (best, None, 1_200_000)
        assert moved.search_text == "instagram followers best bestsellers"
        assert (moved.upstream_category.name, moved.upstream_subcategory.name) == ("Instagram", "Followers")

    def test_when_upstream_moves_it_too_then_that_is_kept_and_it_goes_back_there(
        self, desk: Client, moved: Service, best: Category, client_upstream: UpstreamClient, sandbox: Sandbox
    ) -> None:
        sandbox.set_service(1, category="Telegram", subcategory="Members")

        for turn in (1, 2):
            sync_catalog(client=client_upstream, now=NOW + turn * QUARTER)

        moved.refresh_from_db()
        assert (moved.category, moved.upstream_category.name) == (best, "Telegram")
        places = [change.fields["place"] for change in ServiceChange.objects.filter(service=moved)]
        assert places == [["Instagram · Followers", "Telegram · Members"]]
        Category.objects.update(rate_confirmed_at=NOW)
        edit(desk, f"id__in={moved.pk}", place="back")
        moved.refresh_from_db()
        assert (moved.category.name, moved.subcategory) == (
            "Telegram",
            Subcategory.objects.get(category__name="Telegram", name="Members"),
        )

    def test_when_upstream_puts_it_there_too_then_it_is_like_all_others_again(
        self, desk: Client, moved: Service, client_upstream: UpstreamClient, sandbox: Sandbox
    ) -> None:
        telegram = Category.objects.get(name="Telegram")
        move(desk, moved, telegram)
        sandbox.set_service(1, category="Telegram", subcategory="Members")

        sync_catalog(client=client_upstream, now=LATER)

        moved.refresh_from_db()
        assert (moved.category, moved.subcategory.name) == (telegram, "Members")
        assert (moved.upstream_category, moved.upstream_subcategory) == (None, None)
        assert moved.search_text == "instagram followers telegram members"
        sandbox.set_service(1, category="Instagram", subcategory="Followers")
        sync_catalog(client=client_upstream, now=LATER + QUARTER)
        moved.refresh_from_db()
        assert moved.category.name == "Instagram"

    def test_when_upstreams_subcategory_changed_meanwhile_then_a_job_puts_it_back_there(
        self, desk: Client, moved: Service, client_upstream: UpstreamClient, sandbox: Sandbox
    ) -> None:
        job = StaffJob.objects.latest("pk")
        sandbox.set_service(1, subcategory="Likes")
        sync_catalog(client=client_upstream, now=LATER)

        desk.post(reverse("admin:catalog_service_edits"), {"job": job.pk})

        assert at_work().problem_count == 0
        moved.refresh_from_db()
        assert (moved.category.name, moved.subcategory.name) == ("Instagram", "Likes")
        assert (moved.upstream_category, moved.upstream_subcategory) == (None, None)

    def test_when_upstream_stops_selling_it_then_it_is_withdrawn_where_it_was(
        self, moved: Service, best: Category, client_upstream: UpstreamClient, sandbox: Sandbox
    ) -> None:
        sandbox.remove_service(1)
        for turn in (1, 2):
            sync_catalog(client=client_upstream, now=NOW + turn * QUARTER)
        moved.refresh_from_db()
        assert moved.withdrawn_at is not None
        assert moved.category == best


class TestOwnMarkup:
    """A percentage of a service's own, which follows what it costs."""

    def test_when_set_then_the_price_follows_the_cost(self, desk: Client, listed: list[Service]) -> None:
        Service.objects.update(rate_override_micros=9_000_000)

        edit(desk, price="markup", percent="40")

        assert list(Service.objects.values_list("markup_percent", "rate_override_micros", "selling_rate_micros")) == [
            (Decimal(40), None, 2_100_000)
        ] * len(listed)
        Service.objects.update(rate_upstream_micros=2_000_000)
        reprice_services(now=timezone.now())
        assert set(Service.objects.values_list("selling_rate_micros", flat=True)) == {2_800_000}
        edit(desk, price="clear")
        assert set(Service.objects.values_list("markup_percent", "selling_rate_micros")) == {(None, 2_500_000)}

    def test_when_rules_are_there_too_then_the_services_own_rule_counts_first_and_its_categorys_last(
        self, listed: list[Service]
    ) -> None:
        service, other = listed
        Service.objects.update(markup_percent=Decimal("33.33"))
        for each in listed:
            MarkupRule.objects.create(scope="category", category=each.category, percent=10, rounding="0.10")
        MarkupRule.objects.create(scope="service", service=service, percent=Decimal(50))
        reprice_services(now=timezone.now())

        book = price_book(None)
        for each in (service, other):
            each.refresh_from_db()

        assert [book.rate_micros(each) for each in listed] == [2_250_000, 2_000_000]  # 1.99995 rounded up to 2.00
        assert [each.selling_rate_micros for each in listed] == [2_250_000, 2_000_000]
        assert (book.terms(other)["rule"], book.terms(other)["scope"]) == (None, "own")

    def test_when_a_sync_brings_another_rate_then_it_is_marked_up_by_it(
        self, client_upstream: UpstreamClient, sandbox: Sandbox, db: None
    ) -> None:
        sync_catalog(client=client_upstream, now=NOW)
        Service.objects.filter(upstream_id=1).update(markup_percent=Decimal(50))
        sandbox.set_service(1, rate="0.80")

        sync_catalog(client=client_upstream, now=LATER)

        assert Service.objects.get(upstream_id=1).selling_rate_micros == 1_200_000

    def test_when_below_the_floor_then_the_floor_is_charged(self, desk: Client, listed: list[Service]) -> None:
        MarkupRule.objects.create(scope="all", percent=50, floor_percent=20)
        words = page_words(desk.post(reverse(EDIT), {"price": "markup", "percent": "5", "_preview": "1"}))

        assert "own markup: by the rules → 5 %" in words
        assert "because their own price or markup is lower 2" in words
        assert "→ $1.80" in words
