"""What the sidebar, the tabs and the page of technical tables offer, and to whom."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.rights import CATALOG, FINANCE, SUPPORT
from catalog.models import Service
from orders.models import ServiceRequest
from storefront.admin_advanced import ADVANCED
from storefront.admin_navigation import GROUPS
from storefront.roles import roles
from tests.orders.attention import make_lost
from tests.security.staff import at_the_admin, in_role, with_rights
from tests.storefront.admin_rows import make_order, make_service

pytestmark = pytest.mark.django_db

HOME, ADVANCED_PAGE = reverse("admin:index"), reverse("admin:advanced")
# Reached from the row of another model, the sync run that was held back.
OF_ANOTHER = {"catalog.quarantinedanswer"}
MOST_TOPICS = 6


@pytest.fixture
def desk(sam: User) -> Client:
    """Sam at the admin."""
    return at_the_admin(sam)


def clerk(*codenames: str) -> Client:
    return at_the_admin(with_rights("clerk@example.com", *codenames))


def lines(client: Client, address: str = HOME) -> list[dict[str, Any]]:
    groups = client.get(address).context["sidebar_navigation"]
    return [line for group in groups for line in group["items"]]


def tab_links(markup: str) -> list[str]:
    found = re.search(r'<nav id="tabs-items".*?</nav>', markup, re.DOTALL)
    return [unescape(link) for link in re.findall(r'href="([^"#]+)"', found[0])] if found else []


def reached(client: Client) -> set[str]:
    """Every list that this person gets to from the sidebar, without what is typed."""
    found = {line["link"].partition("?")[0] for line in lines(client)}
    for address in list(found):
        markup = client.get(address).content.decode()
        found.update(link.partition("?")[0] for link in tab_links(markup))
        if address == ADVANCED_PAGE:
            main = markup[markup.index('id="main"') :]
            found.update(unescape(link) for link in re.findall(r'<dt[^>]*>\s*<a[^>]*href="([^"]+)"', main))
    return found - {HOME, ADVANCED_PAGE}


def lists_of(models: Iterable[str]) -> set[str]:
    return {reverse(f"admin:{model.replace('.', '_')}_changelist") for model in models}


def registered() -> set[str]:
    return {model._meta.label_lower for model in admin.site._registry} - OF_ANOTHER


@pytest.fixture
def service(db: None) -> Service:
    return make_service(1)


OWN_PAGES = {
    reverse("admin:sms_number_report"): "sms.number",
    reverse("admin:notifications_mails"): "notifications.notice",
    reverse("admin:orders_reports"): "orders.books",
    reverse("admin:orders_service_report"): "orders.books",
    reverse("admin:money_desk"): "wallet.topup",
}


def test_there_are_seven_groups_of_at_most_six_topics(desk: Client) -> None:
    groups = desk.get(HOME).context["sidebar_navigation"]

    titles = ["", "Orders", "Catalog", "Numbers", "Money", "Customers", "Settings"]
    assert [str(group["title"]) for group in groups] == titles
    assert max(len(group["items"]) for group in groups) <= MOST_TOPICS


def test_an_owner_gets_to_every_model_there_is(desk: Client) -> None:
    assert reached(desk) == lists_of(registered()) | set(OWN_PAGES)


@pytest.mark.parametrize("role", [FINANCE, CATALOG, SUPPORT])
def test_a_role_gets_to_every_model_it_may_see_and_to_no_other(role: str) -> None:
    granted = roles()[role]
    may_see = {
        model
        for model in registered()
        if any(f"{model.replace('.', f'.{act}_')}" in granted for act in ("view", "change"))
    }

    client = at_the_admin(in_role("person@example.com", role))

    own = {page for page, model in OWN_PAGES.items() if model in may_see}
    assert reached(client) == lists_of(may_see) | own


@pytest.mark.parametrize(
    "model", [entry.model for _title, topics in GROUPS for topic in topics for entry in topic.entries[1:]]
)
def test_whoever_may_see_the_last_tab_of_a_topic_alone_gets_there(model: str) -> None:
    client = clerk(f"view_{model.partition('.')[2]}")

    assert lists_of([model]) <= reached(client)


def test_whoever_may_see_one_model_is_offered_home_and_that_one() -> None:
    links = [line["link"] for line in lines(clerk("view_service"))]

    assert links == [HOME, reverse("admin:catalog_service_changelist")]


def test_technical_tables_say_what_they_are_for_to_those_who_may_see_them(desk: Client) -> None:
    boss = desk.get(ADVANCED_PAGE).content.decode()
    other = clerk("view_statusword", "view_couponuse").get(ADVANCED_PAGE)

    assert all(str(entry.about) for _title, entries in ADVANCED for entry in entries)
    assert "Every step of every order, and who took it." in boss
    shown = [str(table["title"]) for group in other.context["groups"] for table in group["tables"]]
    assert shown == ["Status words", "Coupon uses"]


def test_technical_tables_are_for_staff() -> None:
    person = User.objects.create_user("person@example.com", "x")

    assert at_the_admin(person).get(ADVANCED_PAGE).status_code != 200
    assert Client().get(ADVANCED_PAGE).status_code == 302


@pytest.mark.parametrize(
    ("address", "lit", "tab"),
    [
        ("", "Home", None),
        ("advanced/", "Advanced", None),
        ("orders/order/", "Orders", "/admin/orders/order/"),
        ("orders/order/?attention=yes", "Orders", "/admin/orders/order/?attention=yes"),
        ("orders/order/?q=1&attention=yes", "Orders", "/admin/orders/order/?attention=yes"),
        ("orders/servicerequest/", "Orders", "/admin/orders/servicerequest/"),
        ("orders/orderevent/", "Advanced", None),
        ("sms/number/", "SMS numbers", "/admin/sms/number/"),
        ("sms/number/report/", "SMS numbers", "/admin/sms/number/report/"),
        ("notifications/notice/mails/", "Notices", "/admin/notifications/notice/mails/"),
        ("wallet/topup/?attention=yes", "Payments", "/admin/wallet/topup/"),
        ("money/", "Payments", "/admin/money/"),
        ("catalog/exchangerate/", "Prices", "/admin/catalog/exchangerate/"),
        ("orders/books/", "Books", "/admin/orders/books/"),
        ("orders/books/reports/", "Books", "/admin/orders/books/reports/"),
        ("orders/books/reports/services/", "Books", "/admin/orders/books/reports/services/"),
    ],
)
def test_one_line_and_one_tab_are_lit(desk: Client, address: str, lit: str, tab: str | None) -> None:
    answer = desk.get(HOME + address)

    groups = answer.context["sidebar_navigation"]
    assert [str(line["title"]) for group in groups for line in group["items"] if line["active"]] == [lit]
    marked = re.findall(r'<a href="([^"]+)" class="active"', answer.content.decode())
    assert [unescape(link) for link in marked] == ([tab] if tab else [])


def test_a_row_below_a_list_lights_its_topic(desk: Client, service: Service) -> None:
    found = lines(desk, reverse("admin:catalog_service_change", args=[service.pk]))

    assert [str(line["title"]) for line in found if line["active"]] == ["Services"]


def test_what_waits_is_counted_beside_the_topic_and_on_the_tab(desk: Client, ann: User, service: Service) -> None:
    for _time in range(2):
        make_lost(make_order(ann, service=service))
    ServiceRequest.objects.create(order=make_order(ann, service=service), kind=ServiceRequest.Kind.CANCEL)

    [line] = [line for line in lines(desk) if str(line["title"]) == "Orders"]
    markup = desk.get(reverse("admin:orders_servicerequest_changelist")).content.decode()

    assert (line["badge"], line["badge_variant"]) == ("3", "danger")
    assert "Need attention (2)" in markup
    assert "Customer requests (1)" in markup


def test_what_waits_is_not_counted_for_who_may_not_see_it(ann: User, service: Service) -> None:
    make_lost(make_order(ann, service=service))

    [_home, line] = lines(clerk("view_servicerequest"))

    assert (str(line["title"]), line["badge"]) == ("Orders", "")
    assert line["link"] == reverse("admin:orders_servicerequest_changelist")


def test_the_pages_of_apps_lead_home_and_nothing_leads_to_them(desk: Client, service: Service) -> None:
    for app in ("orders", "wallet", "auth"):
        answer = desk.get(reverse("admin:app_list", args=[app]))
        assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert desk.get(HOME + "nothing/").status_code == 404

    pages = [
        HOME,
        reverse("admin:catalog_service_changelist"),
        reverse("admin:catalog_service_change", args=[service.pk]),
        reverse("admin:catalog_service_history", args=[service.pk]),
        reverse("admin:sms_number_report"),
        ADVANCED_PAGE,
    ]
    apps = {f'href="{reverse("admin:app_list", args=[config])}"' for config in ("catalog", "sms", "orders", "wallet")}
    for page in pages:
        markup = desk.get(page).content.decode()
        assert [link for link in apps if link in markup] == []
