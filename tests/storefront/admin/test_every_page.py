"""Every model's admin pages: they open, they stay fast with more rows, and read-only means read-only."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from unfold.admin import ModelAdmin

from accounts.models import ApiKey, ApiKeySpending, DenyHit, TrailEntry, User
from api.models import SimulatedOrder, SimulatedWallet, Webhook, WebhookDelivery
from catalog.models import (
    Category,
    ExchangeRate,
    Favorite,
    PriceList,
    QuarantinedAnswer,
    Service,
    ServiceChange,
    StockAlert,
    Subcategory,
    SyncRun,
)
from jobs.models import StaffJob
from notifications.models import Notice
from orders.models import (
    AttentionFlag,
    Books,
    CashbackEarning,
    Checkout,
    ContractDrift,
    Coupon,
    CouponUse,
    DeliveredGoods,
    ForwardingPause,
    FoundOrder,
    GoodsClaim,
    GoodsReveal,
    LostAttempt,
    Order,
    OrderEvent,
    PendingCheckout,
    RateUnitQuestion,
    ReferralEarning,
    RestoreGap,
    ServiceCost,
    ServicePace,
    ServiceRequest,
    UpstreamAssumption,
    UpstreamBalance,
    UpstreamEntry,
    WatchedPrice,
)
from preferences.models import PreferenceChange
from sms.models import Country, Number, Project, ReplacementRule, Site, SuccessRate
from support.models import Document, FirstAnswerRule, TermsAcceptance, Ticket
from tests.storefront.admin_rows import make_rows
from wallet.models import GatewayEvent, LedgerEntry, MoneyRequest, Receipt, Receivable, TopUp, Wallet

READ_ONLY = [
    *(Wallet, LedgerEntry, Order, OrderEvent, Checkout, SyncRun, Subcategory, Number, ForwardingPause),
    *(TopUp, GatewayEvent, Receivable, Receipt, PendingCheckout),
    *(MoneyRequest, EmailAddress, ServiceRequest, Favorite, StockAlert, WatchedPrice),
    *(Books, UpstreamBalance, ServiceCost, ServiceChange, QuarantinedAnswer, PriceList),
    *(ContractDrift, DeliveredGoods, GoodsClaim, GoodsReveal, Notice, ServicePace, UpstreamAssumption),
    *(CouponUse, ReferralEarning, CashbackEarning, AttentionFlag, LostAttempt, FoundOrder, RestoreGap),
    DenyHit,
    *(SuccessRate, ReplacementRule),
    *(Webhook, WebhookDelivery),
    *(Ticket,),
    *(ApiKeySpending, SimulatedOrder, SimulatedWallet, TrailEntry, PreferenceChange, StaffJob),
    TermsAcceptance,
]
# Upstream charges in the shop's currency here: there is no rate to enter.
NEVER_ADDED = [
    *(*READ_ONLY, Category, RateUnitQuestion, Service, Country, Site, Project, Authenticator, ExchangeRate),
    FirstAnswerRule,
]
NEVER_DELETED = [
    *(
        *READ_ONLY,
        ApiKey,
        Coupon,
        Category,
        RateUnitQuestion,
        Service,
        Country,
        Site,
        Project,
        User,
        UpstreamEntry,
        Document,
        FirstAnswerRule,
    ),
]
MODELS = list(admin.site._registry)
pytestmark = pytest.mark.django_db


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture(scope="class")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One row of everything, made once: each test takes back what it does to them, and the last one the rows."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_rows(1)
        yield
        transaction.set_rollback(True)


def by_label(models: list[type[Model]]) -> Any:
    return pytest.mark.parametrize("model", models, ids=lambda model: model._meta.label)


def test_registry_when_the_shop_starts_then_every_model_of_ours_has_a_page_in_the_theme() -> None:
    ours = {
        "accounts",
        "api",
        "catalog",
        "jobs",
        "notifications",
        "wallet",
        "orders",
        "sms",
        "preferences",
        "privacy",
        "support",
    }
    internal = {
        "catalog.PricePoint",
        "catalog.SearchWord",
        "catalog.CatalogVersion",
        "catalog.ServiceNews",
        "catalog.EditedService",
        "catalog.ServiceFilePart",
        "catalog.ServiceMargin",
        "catalog.ServiceQuality",
        "orders.ClaimAnswer",
        "orders.GatewayTotal",
        "orders.Total",
        "orders.TotalSpan",
        "orders.PromisedLoss",
        "orders.CouponMaker",
        "orders.PriceDigestLook",
        "orders.RetentionMark",
        "sms.FormerKey",
        "wallet.ReceiptGap",
        "jobs.JobFilePart",
        "accounts.EmailChange",
        "accounts.KnownNetwork",
        "accounts.SupportVisit",
        "accounts.WrongTry",
        "notifications.Letter",
        "notifications.NoticeChoice",
        "accounts.AccountBlock",
        "accounts.RetentionAge",
        "preferences.Picture",
        "privacy.AccountDeletion",
        "privacy.DataExport",
        "support.AnnouncementDismissal",
        "support.IncidentUpdate",
        "support.MeasuredPart",
        "support.PartDay",
        "support.DocumentVersion",
        "support.Attachment",
        "support.AttachmentContent",
        "support.Message",
        "support.SupplierMessage",
    }  # the machinery's own, and nobody's to read
    missing = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in ours and model not in admin.site._registry
    ]
    plain = [model._meta.label for model, pages in admin.site._registry.items() if not isinstance(pages, ModelAdmin)]

    assert set(missing) == internal
    assert plain == []


@by_label([model for model in MODELS if model not in NEVER_ADDED])
def test_add_page_when_rows_are_made_here_then_it_opens(desk: Client, model: type[Model]) -> None:
    assert desk.get(page(model, "add")).status_code == 200


@by_label(NEVER_ADDED)
def test_add_page_when_rows_come_from_elsewhere_then_it_is_refused(desk: Client, model: type[Model]) -> None:
    assert desk.get(page(model, "add")).status_code == 403
    assert desk.post(page(model, "add"), {"name": "x"}).status_code == 403


@pytest.mark.usefixtures("rows")
class TestOneOfEach:
    @by_label(MODELS)
    def test_pages_when_staff_opens_them_then_list_search_change_and_history_answer(
        self, desk: Client, model: type[Model]
    ) -> None:
        row = model._default_manager.order_by("-pk").first()
        assert row is not None

        assert desk.get(page(model, "changelist")).status_code == 200
        assert desk.get(page(model, "changelist"), {"q": "1 x"}).status_code == 200
        assert desk.get(page(model, "change", row.pk)).status_code == 200
        assert desk.get(page(model, "history", row.pk)).status_code == 200

    @by_label(READ_ONLY)
    def test_change_page_when_read_only_then_a_raw_post_changes_nothing(self, desk: Client, model: type[Model]) -> None:
        before = list(model._default_manager.order_by("pk").values())

        for row in before:
            assert desk.post(page(model, "change", row["id"]), {"_save": "Save", "note": "x"}).status_code == 403

        assert list(model._default_manager.order_by("pk").values()) == before

    @by_label(NEVER_DELETED)
    def test_delete_when_rows_stay_then_neither_page_nor_bulk_action_removes_them(
        self, desk: Client, model: type[Model]
    ) -> None:
        keys = list(model._default_manager.values_list("pk", flat=True))
        everything = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}

        refused = desk.post(page(model, "delete", keys[0]), {"post": "yes"})
        desk.post(page(model, "changelist"), everything)

        assert refused.status_code == 403
        assert list(model._default_manager.values_list("pk", flat=True)) == keys


def test_lists_when_there_are_more_rows_then_the_number_of_queries_stays(desk: Client) -> None:
    make_rows(1)
    for model in MODELS:  # what is asked once in a process does not count
        desk.get(page(model, "changelist"))
    one_of_each = {model._meta.label: queries_of_the_list(desk, model) for model in MODELS}
    make_rows(2)
    make_rows(3)

    three_of_each = {model._meta.label: queries_of_the_list(desk, model) for model in MODELS}

    assert three_of_each == one_of_each


def queries_of_the_list(desk: Client, model: type[Model]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert desk.get(page(model, "changelist")).status_code == 200
    return len(asked)


def test_policy_when_a_page_is_not_the_admins_then_scripts_stay_forbidden(desk: Client) -> None:
    at_the_admin = desk.get(reverse("admin:index"))["Content-Security-Policy"]
    elsewhere = desk.get(reverse("account_email"))["Content-Security-Policy"]

    assert "'unsafe-eval'" in at_the_admin
    assert "'unsafe-inline'" in at_the_admin
    assert "unsafe" not in elsewhere
