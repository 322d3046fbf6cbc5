"""Attack: read what no page shows, letter by letter, through what the admin lets one filter, order and search by."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import ManyToOneRel, Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.admin.widgets import ModelAdmin
from accounts.models import ApiKey, User
from api.models import Webhook, WebhookDelivery
from orders.models import AttentionFlag, DeliveredGoods, GoodsReveal, Order, PendingCheckout
from sms.models import Number
from tests.conftest import PASSWORD
from tests.storefront.admin_rows import make_rows
from wallet.models import LedgerEntry

OPERATORS = ("", "__startswith", "__regex", "__exact", "__lt", "__isnull")
# Parts of names of columns whose content is nobody's to see, or only their owner's.
HIDDEN_NAMES = (
    *("secret", "encrypted", "hash", "password", "session", "token", "quote", "content", "body", "packed", "data"),
)
# A list of its own reads no lookups: the books, the rate units.
WITH_LIST = [model for model, pages in admin.site._registry.items() if "changelist_view" not in vars(type(pages))]
pytestmark = pytest.mark.django_db


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page(model: type[Model], name: str, key: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=[key])


def is_refused(answer: Any) -> bool:
    return answer.status_code == 400 or (answer.status_code == 302 and answer["Location"].endswith("?e=1"))


def is_secret(path: str) -> bool:
    return any(part in HIDDEN_NAMES for part in path.replace(LOOKUP_SEP, "_").split("_"))


def list_columns(pages: Any, request: HttpRequest) -> list[Any]:
    return [
        column if callable(column) else getattr(pages, column, None) or getattr(pages.model, column, None)
        for column in pages.get_list_display(request)
    ]


def clerk(client: Client, *codenames: str, app: str | None = None) -> User:
    """Somebody who works here and may do just this."""
    user = User.objects.create_user("clerk@example.com", PASSWORD, is_staff=True)
    found = Permission.objects.filter(codename__in=codenames)
    user.user_permissions.add(*(found if app is None else found.filter(content_type__app_label=app)))
    client.force_login(user)
    return user


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam, who may do everything, at the admin."""
    client.force_login(sam)
    return client


def columns(model: type[Model], depth: int, came_from: str = "") -> Iterator[str]:
    """Every column of a model and of what it leads to, in both directions, as a path."""
    for field in model._meta.get_fields(include_hidden=True):
        name = field.name if not isinstance(field, ManyToOneRel) or field.related_name else field.get_accessor_name()
        name = (name or field.name).removesuffix("_set").removesuffix("+")
        path = f"{came_from}{name}"
        if field.concrete:
            yield path
            if field.get_attname() != field.name:
                yield f"{came_from}{field.get_attname()}"
        if field.is_relation and depth and field.related_model is not None:
            yield from columns(field.related_model, depth - 1, f"{path}__")


def related(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if field.is_relation}


def offered(pages: ModelAdmin, request: HttpRequest) -> set[str]:
    """The fields that the list offers to filter by, and those that links of ours filter by."""
    filters = pages.get_list_filter(request)
    named = {one[0] if isinstance(one, tuple | list) else one for one in filters}
    found = {name if isinstance(name, str) else name.parameter_name for name in named}
    keys = {f"{name}__{pages.model._meta.get_field(name).target_field.name}" for name in found & related(pages.model)}
    return found | keys | set(pages.linked_by) | ({pages.date_hierarchy} if pages.date_hierarchy else set())


def as_staff(user: User) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def test_registry_when_the_shop_starts_then_every_page_is_of_the_class_that_refuses() -> None:
    plain = [model._meta.label for model, pages in admin.site._registry.items() if not isinstance(pages, ModelAdmin)]
    other_words = [
        model._meta.label
        for model, pages in admin.site._registry.items()
        if "lookup_allowed" in vars(type(pages)) or pages.to_field_allowed.__func__ is not ModelAdmin.to_field_allowed
    ]

    assert plain == []
    assert other_words == []


def test_lookups_when_a_column_is_no_filter_of_the_list_then_each_is_refused_two_relations_deep(sam: User) -> None:
    request = as_staff(sam)

    believed = [
        f"{model._meta.label}: {path}{operator}"
        for model, pages in admin.site._registry.items()
        for allowed in (offered(pages, request),)  # type: ignore[arg-type]
        for path in columns(model, 2)
        for operator in OPERATORS
        if path not in allowed
        and f"{path}{operator}" not in allowed
        and pages.lookup_allowed(f"{path}{operator}", "a", request)
    ]

    assert believed == []


def test_list_when_it_is_filtered_by_what_it_does_not_offer_then_it_is_not_answered(desk: Client, sam: User) -> None:
    make_rows(1)
    request = as_staff(sam)

    # Of everything two relations deep the walk above asks `lookup_allowed`; here is what a stranger would send.
    answered = [
        f"{model._meta.label}: {path}"
        for model in WITH_LIST
        for allowed in (offered(admin.site._registry[model], request),)  # type: ignore[arg-type]
        for path in columns(model, 1)
        if path not in allowed and is_secret(path)
        if not is_refused(desk.get(changelist(model), {f"{path}__startswith": "a"}))
    ]

    assert answered == []


SECRETS = [
    (Number, "code__startswith", "4", "5"),
    (Number, "content__contains", "471", "9"),
    (Authenticator, "data__secret__startswith", "hidden", "x"),
    (Authenticator, "user__password__startswith", "md5", "x"),
    (Webhook, "secret_encrypted__startswith", "hidden", "x"),
    (WebhookDelivery, "body_encrypted__startswith", "hidden", "x"),
    (WebhookDelivery, "webhook__secret_encrypted__regex", "^hidden", "x"),
    (DeliveredGoods, "encrypted__startswith", "hidden", "x"),
    (GoodsReveal, "goods__encrypted__startswith", "hidden", "x"),
    (Order, "goods__encrypted__startswith", "hidden", "x"),
    (Order, "number__code__startswith", "4", "5"),
    (Order, "user__password__gt", "md5", "x"),
    (ApiKey, "secret_hash__lt", "f", "0"),
    (ApiKey, "user__authenticator__data__secret__startswith", "hidden", "x"),
    (PendingCheckout, "quote__startswith", "hidden", "x"),
    (User, "password__startswith", "md5", "x"),
    (User, "authenticator__data__secret__startswith", "hidden", "x"),
    (EmailAddress, "user__last_login__isnull", "1", "0"),
    (LedgerEntry, "wallet__user__password__startswith", "md5", "x"),
]


def test_list_when_a_secret_is_guessed_then_right_and_wrong_are_answered_alike(desk: Client) -> None:
    make_rows(1)
    Number.objects.update(code="471", content="Your code is 471")

    for model, lookup, right, wrong in SECRETS:
        for extra in ({}, {"_popup": "1"}, {"_facets": "True"}, {"_to_field": "id", "_popup": "1"}):
            hit = desk.get(changelist(model), {lookup: right, **extra})
            miss = desk.get(changelist(model), {lookup: wrong, **extra})
            assert (hit.status_code, miss.status_code) == (400, 400), lookup
            assert hit.content == miss.content


def test_pop_up_when_it_is_asked_for_another_column_than_the_key_then_it_is_refused(desk: Client, sam: User) -> None:
    make_rows(1)

    keys = [
        f"{model._meta.label}: {column.attname}"
        for model, pages in admin.site._registry.items()
        for column in model._meta.concrete_fields
        if not column.primary_key and pages.to_field_allowed(as_staff(sam), column.attname)
    ]
    answered = [
        address
        for model in (User, ApiKey, Authenticator, Number, Webhook)
        for row in model._default_manager.order_by("-pk")[:1]
        for column in map(str, (field.attname for field in model._meta.concrete_fields if is_secret(field.name)))
        for address in (changelist(model), page(model, "change", row.pk))
        if desk.get(address, {"_popup": "1", "_to_field": column}).status_code < 400
    ]

    assert keys == []
    assert answered == []


def test_search_and_order_when_staff_uses_them_then_they_ask_for_shown_fields_only(sam: User) -> None:
    request = as_staff(sam)

    for model, pages in admin.site._registry.items():
        declared = list(pages.search_fields)
        orders = [str(getattr(column, "admin_order_field", "") or "") for column in list_columns(pages, request)]
        used = [*declared, *orders, *pages.compared_here, *offered(pages, request)]  # type: ignore[attr-defined,arg-type]
        # What is declared is shown somewhere where Sam may look: nothing was taken away.
        assert list(pages.get_search_fields(request)) == declared, model
        assert set(pages.compared_here) <= set(declared), model  # type: ignore[attr-defined]
        assert [path for path in used if is_secret(path)] == [], model


def test_search_when_an_owner_is_shown_only_elsewhere_then_it_takes_the_right_to_look_there(client: Client) -> None:
    make_rows(1)
    flag = AttentionFlag.objects.select_related("order__user").get()
    user = clerk(client, "view_attentionflag")

    hit = client.get(changelist(AttentionFlag), {"q": flag.order.user.email[:9]}).context["cl"]
    miss = client.get(changelist(AttentionFlag), {"q": "nobody@"}).context["cl"]
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    trusted = client.get(changelist(AttentionFlag), {"q": flag.order.user.email[:9]}).context["cl"]
    mistaken = client.get(changelist(AttentionFlag), {"q": "nobody@"}).context["cl"]

    assert (hit.result_count, miss.result_count) == (0, 0)
    assert (trusted.result_count, mistaken.result_count) == (1, 0)


def test_search_when_a_column_shows_the_owner_then_it_finds_them_without_any_other_right(client: Client) -> None:
    make_rows(1)
    clerk(client, "view_goodsreveal")

    found = client.get(changelist(GoodsReveal), {"q": "customer1@"}).context["cl"]
    missed = client.get(changelist(GoodsReveal), {"q": "customer2@"}).context["cl"]

    assert (found.result_count, missed.result_count) == (1, 0)


def test_autocomplete_when_the_asker_may_not_view_the_rows_then_nothing_is_told(client: Client) -> None:
    make_rows(1)
    asked = {"app_label": "accounts", "model_name": "apikey", "field_name": "user", "term": "customer1"}
    user = clerk(client, "add_apikey", "change_apikey", "view_apikey")

    refused = client.get(reverse("admin:autocomplete"), asked)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    answered = client.get(reverse("admin:autocomplete"), asked)

    assert refused.status_code == 403
    (row,) = answered.json()["results"]
    assert row == {"id": str(User.objects.get(email="customer1@example.com").pk), "text": "customer1@example.com"}


def test_autocomplete_when_another_field_or_lookup_is_named_then_it_is_refused(desk: Client) -> None:
    make_rows(1)
    asked = {"app_label": "accounts", "model_name": "apikey", "field_name": "user", "term": "md5"}

    by_hash = desk.get(reverse("admin:autocomplete"), asked)
    other_field = desk.get(reverse("admin:autocomplete"), {**asked, "field_name": "secret_hash"})
    lookup = desk.get(reverse("admin:autocomplete"), {**asked, "term": "", "password__startswith": "x"})

    assert by_hash.json()["results"] == []
    assert other_field.status_code == 403
    assert len(lookup.json()["results"]) == User.objects.count()


@pytest.mark.parametrize("typed", ["hidden", "hidden-secret", "md5$", "4711"])
def test_site_search_when_something_is_asked_for_that_no_page_shows_then_no_row_is_found(
    desk: Client, typed: str
) -> None:
    make_rows(1)

    answer = desk.get(reverse("admin:search"), {"s": typed, "extended": "1"}).content.decode()

    assert "/change/" not in answer


def test_history_when_staff_opens_it_then_lookups_change_nothing_and_no_secret_is_in_it(desk: Client) -> None:
    make_rows(1)

    for model in (User, ApiKey, Authenticator, Webhook, DeliveredGoods, Number, PendingCheckout):
        row = model._default_manager.order_by("-pk").first()
        assert row is not None
        history = page(model, "history", row.pk)
        plain = desk.get(history).context["action_list"].paginator.count
        asked = desk.get(history, {"user__password__startswith": "x", "o": "1"})
        assert asked.context["action_list"].paginator.count == plain
        assert b"hidden-" not in asked.content


@pytest.mark.parametrize(
    "export",
    ["admin:orders_books_changelist", "admin:sms_number_report", "admin:orders_reports", "admin:orders_service_report"],
)
def test_export_when_the_asker_may_not_view_it_then_it_is_refused(client: Client, export: str) -> None:
    clerk(client, "view_service")

    assert client.get(reverse(export), {"format": "csv"}).status_code == 403
