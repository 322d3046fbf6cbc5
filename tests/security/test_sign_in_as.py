"""Support looks at the shop as a customer: what it sees, what it never does, and who knows of it."""

import itertools
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import SupportVisit, User
from accounts.read_only import WritesRefused, refusing_writes
from api.webhooks.operations import add_webhook
from orders.models import GoodsReveal
from sms.models import Number
from storefront.web.sign_in_as import SHOWN
from tests.conftest import customer
from tests.pages import HTMX, page_words
from tests.samples import each_method
from tests.security.addresses import Addresses, is_of_the_admin, routes
from tests.security.delivered import LINE, deliver
from tests.security.factors import CONFIRM, code, confirm_with, grow_old
from tests.security.visiting import BAR, END, REASON, begin, is_looking
from tests.storefront.admin_rows import make_rows

pytestmark = pytest.mark.django_db
CHANGING = ("POST", "PUT", "PATCH", "DELETE")

# Addresses that are refused on a visit, each with why. Whoever adds an address to the shop puts it here or into
# storefront.web.sign_in_as.SHOWN.
REFUSED = {
    # They open goods, or are files that leave the shop.
    "support:attachment", "orders:goods", "orders:goods_file", "orders:export", "wallet:statement", "wallet:month",
    # They show keys, secrets and what was sent with them, or are the programs' own door.
    "api:v2", "api:openapi", "api:docs", "api:console", "api:keys", "api:key", "api:key_show", "api:key_rotate",
    "api:key_revoke", "api:webhooks", "api:webhook", "api:webhook_rotate", "api:webhook_test", "api:webhook_switch",
    "api:webhook_delete", "api:webhook_delivery", "api:webhook_replay", "api:test_wallet_fill",
    # Everything about the customer in one file, and the end of their account.
    "privacy:home", "privacy:prepare", "privacy:download", "privacy:delete", "privacy:keep",
    # They do something, some of them as soon as they are opened.
    "catalog:favorite", "orders:ask", "orders:cancel", "orders:goods_claim", "orders:stock_alert", "ref",
    "set_language", "notices:open", "notices:read_all", "notices:unsubscribe",
    "sms:cancel", "sms:replace", "sms:replacement_rule", "support:dismiss_announcement", "support:new",
    "support:rating", "wallet:callback", "wallet:cancel", "wallet:declare", "wallet:demo",
    "wallet:pay", "wallet:payment",
    # How the account is kept its owner's.
    "account_security", "end_session", "sign_out_everywhere", "revoke_all_keys", "undo_email_change",
    "usersessions_list",
    "account_change_password", "account_confirm_email", "account_confirm_login_code", "account_email",
    "account_email_verification_sent", "account_inactive", "account_login", "account_logout", "account_reauthenticate",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "account_set_password", "account_signup", "mfa_activate_totp",
    "mfa_add_webauthn", "mfa_authenticate", "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_edit_webauthn",
    "mfa_generate_recovery_codes", "mfa_index", "mfa_list_webauthn", "mfa_login_webauthn", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes",
    # Only the customer accepts.
    "documents:accept",
    # Nobody's page.
    "security_txt", "robots", "sitemap", "sitemap_file", "manifest", "favicon",
    "service_worker", "offline", "support:status_feed",
    # Opened by hand it does nothing; posted, it ends the visit.
    "end_visit", "styleguide",
}  # fmt: skip
# The same for everybody: they are asked without cookies and know of no visit.
TOLD_NOTHING = {"service_worker", "offline"}


# --- Who may, and where -----------------------------------------------------------------------------------------------
def test_where_the_owner_does_not_allow_it_there_is_no_button_and_no_address(desk, ann, settings):
    settings.SIGN_IN_AS = False
    page = f"/admin/accounts/user/{ann.pk}/change/"

    assert "sign-in-as" not in desk.get(page).content.decode()
    assert begin(desk, ann).status_code == 404
    assert desk.post(END).status_code == 404
    settings.SIGN_IN_AS = True
    assert "sign-in-as" in desk.get(page).content.decode()


def test_with_the_admin_at_its_own_host_it_is_not_offered(desk, ann, settings):
    settings.ADMIN_HOST = "testserver"

    assert "sign-in-as" not in desk.get(f"/admin/accounts/user/{ann.pk}/change/").content.decode()
    assert begin(desk, ann).status_code == 404


def test_only_who_has_the_right_may(ann, client, settings):
    settings.SIGN_IN_AS = True
    clerk = customer("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=("view_user", "change_user")))
    client.force_login(clerk)

    assert "sign-in-as" not in client.get(f"/admin/accounts/user/{ann.pk}/change/").content.decode()
    assert begin(client, ann).status_code == 403
    client.force_login(customer("eve@example.com"))
    assert begin(client, ann).status_code == 302
    assert SupportVisit.objects.count() == 0


@pytest.mark.parametrize("whose", ["staff", "superuser", "inactive", "oneself"])
def test_nobody_looks_as_staff_or_a_closed_account_or_oneself(desk, sue, whose):
    powers = {"staff": {"is_staff": True}, "superuser": {"is_superuser": True}, "inactive": {"is_active": False}}
    other = sue if whose == "oneself" else customer("other@example.com", **powers[whose])

    assert "sign-in-as" not in desk.get(f"/admin/accounts/user/{other.pk}/change/").content.decode()
    assert begin(desk, other).status_code == 403
    assert not is_looking(desk)


def test_it_takes_a_reason_and_a_post(desk, ann):
    address = f"/admin/accounts/user/{ann.pk}/sign-in-as/"

    assert desk.get(address, {"reason": REASON}).status_code == 200
    for reason in ("", "   ", "why"):
        assert begin(desk, ann, reason=reason).status_code == 200
    assert SupportVisit.objects.count() == 0


def test_it_takes_a_fresh_sign_in(desk, ann):
    grow_old(desk)

    answer = begin(desk, ann)

    assert answer["Location"].startswith(f"{CONFIRM}?next=")
    assert SupportVisit.objects.count() == 0
    confirm_with(desk, answer, code())
    assert SupportVisit.objects.count() == 0
    assert begin(desk, ann)["Location"] == reverse("account")


def test_another_site_can_neither_begin_nor_end_a_visit(sue, ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(sue)
    assert begin(browser, ann).status_code == 403

    browser.handler.enforce_csrf_checks = False
    begin(browser, ann)
    browser.handler.enforce_csrf_checks = True

    assert browser.post(END).status_code == 403
    assert is_looking(browser)


# --- What is seen -----------------------------------------------------------------------------------------------------
def test_the_pages_are_the_customers_under_a_bar_that_says_so(visit, ann, ben, service):
    own, other = deliver(ann, service), deliver(ben, service)

    page = visit.get(reverse("orders:list"))

    assert page.context["user"] == ann
    assert f"#{own.pk}" in page.content.decode()
    assert visit.get(reverse("orders:detail", args=[own.pk])).status_code == 200
    assert visit.get(reverse("orders:detail", args=[other.pk])).status_code == 404
    assert "You are looking as ann@example.com . Read-only" in page_words(page)
    for address in ("/", "/nowhere/", END, reverse("account_email"), reverse("orders:place", args=[service.pk])):
        assert BAR in visit.get(address).content.decode(), address


def test_the_bar_is_on_no_page_of_anybody_else(visit, ann, service):
    place = reverse("orders:place", args=[service.pk])
    visit.get(place)
    visit.get("/")
    other = Client()

    for browser in (other, Client()):
        for address in ("/", place):
            assert BAR not in browser.get(address).content.decode()
        browser.force_login(ann)
        assert BAR not in browser.get(place).content.decode()


def test_every_address_is_shown_or_refused_on_purpose():
    names = {route.name for route in routes() if not is_of_the_admin(route)}

    assert names - SHOWN - REFUSED == set(), "say whether support sees this page: SHOWN, or REFUSED above"
    assert (SHOWN | REFUSED) - names == set()
    assert set() == SHOWN & REFUSED


@pytest.fixture
def owner(db: None) -> User:
    """A customer with something at every address, and with goods, a code, a key and a webhook's secret."""
    for number in (1, 2):
        make_rows(number)
    return User.objects.get(email="customer2@example.com")


@each_method
def test_no_address_that_is_refused_answers_in_any_way(desk, owner, whole):
    begin(desk, owner)
    addresses = Addresses(owner)
    found, others = [], itertools.cycle(("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"))
    for route in routes():
        if is_of_the_admin(route) or route.name in SHOWN | TOLD_NOTHING or route.name == "api:v2":
            continue
        address = addresses.of(route)
        for method in ("GET", "HEAD", "OPTIONS", *CHANGING) if whole else ("GET", "POST", next(others)):
            if (route.name, method) == ("end_visit", "POST"):
                continue
            status = desk.generic(method, address).status_code
            found += [] if status == 403 else [f"{method} {address}: {status}"]
            found += [] if status != 302 else [f"{method} {address}"]

    assert found == []
    assert is_looking(desk)


@each_method
def test_a_page_that_is_shown_can_only_be_looked_at(desk, owner, settings, whole):
    settings.REFERRAL_PERCENT = Decimal(10)
    User.objects.filter(pk=owner.pk).update(referral_code="ABCDEFGHJK")
    begin(desk, owner)
    addresses = Addresses(owner)
    before = rows_of_the_shop()
    found, others = [], itertools.cycle(("PUT", "PATCH", "DELETE"))
    for route in routes():
        if route.name in SHOWN:
            for headers in ({}, HTMX):
                answer = desk.get(addresses.of(route), headers=headers)
                found += [] if answer.status_code == 200 else [f"{route.name}: {answer.status_code}"]
            for method in CHANGING if whole else ("POST", next(others)):
                answer = desk.generic(method, addresses.of(route))
                found += [] if answer.status_code == 403 else [f"{method} {route.name}: {answer.status_code}"]

    assert found == []
    assert rows_of_the_shop() == before


def rows_of_the_shop() -> dict[str, list]:
    """Everything but what staff's own session and the trail write."""
    from django.apps import apps

    ours = {"orders", "wallet", "catalog", "sms", "api"}
    kept = {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in ours and model._meta.managed
    }
    return kept | {"accounts": list(User.objects.order_by("pk").values())}


def test_neither_goods_nor_codes_nor_keys_are_on_any_page_or_part(desk, ann, owner, service):
    order = deliver(owner, service)
    number = Number.objects.filter(order__user=owner).latest("pk")
    Number.objects.filter(pk=number.pk).update(
        code="739152", content="secret words 739152", received_at=timezone.now(), state=Number.State.RECEIVED
    )
    addresses = Addresses(owner)
    _key, text = create_api_key(user=owner, name="mine")
    _hook, secret = add_webhook(user=owner, url="https://owner.example.com/hook")
    begin(desk, owner)
    detail = [reverse("orders:detail", args=[pk]) for pk in (order.pk, number.order_id)]

    for address in [*(addresses.of(route) for route in routes() if route.name in SHOWN), *detail]:
        for headers in ({}, HTMX):
            page = desk.get(address, headers=headers).content.decode()
            for hidden in ("739152", "secret words", LINE, text, secret, "rosa@"):
                assert hidden not in page, (address, hidden)

    hidden = "Hidden while you are signed in as a customer."
    for address in (*detail, reverse("sms:waiting"), reverse("sms:history")):
        assert hidden in page_words(desk.get(address)), address
    owners = Client()
    owners.force_login(owner)
    assert "739152" in owners.get(detail[1]).content.decode()
    assert hidden not in page_words(owners.get(detail[1]))
    for address in ("orders:goods", "orders:goods_file"):
        assert desk.post(reverse(address, args=[order.pk])).status_code == 403
    assert GoodsReveal.objects.filter(goods__order=order).count() == 0


def test_what_a_page_that_asks_again_sends_back_does_not_depend_on_the_code(desk, owner):
    number = Number.objects.filter(order__user=owner).latest("pk")
    begin(desk, owner)
    seen = set()
    for digits in ("111111", "222222"):
        Number.objects.filter(pk=number.pk).update(code=digits, content=digits)
        page = desk.get(reverse("orders:detail", args=[number.order_id]))
        seen.add((page.context["seen"], desk.get(reverse("sms:waiting")).context["seen"]))

    assert len(seen) == 1


def test_the_admin_and_the_api_are_out_of_reach(visit, ann, sue):
    for address in ("/admin/", f"/admin/accounts/user/{ann.pk}/change/", "/admin/orders/order/", "/admin/nothing/"):
        for method in ("GET", "POST"):
            assert visit.generic(method, address).status_code == 403
    assert visit.post("/api/v2", {"action": "balance"}).json().get("balance") is None


def test_a_page_that_would_write_is_refused(visit, ann):
    newcomer = customer("new@example.com")
    visit.post(END)
    begin(visit, newcomer)

    answer = visit.get(reverse("wallet:home"))  # makes a wallet for whoever has none

    assert answer.status_code == 403
    assert not hasattr(User.objects.get(pk=newcomer.pk), "wallet")
    assert is_looking(visit)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_user SET language = 'xx'",
        "  insert into accounts_customergroup (name, discount_percent) values ('x', 1)",
        "DELETE FROM accounts_user",
        "WITH old AS (SELECT 1) UPDATE accounts_user SET language = 'xx'",
        "DROP TABLE accounts_user",
        "/* a */ UPDATE accounts_user SET language = 'xx'",
        "TRUNCATE accounts_user",
    ],
)
def test_no_statement_that_writes_gets_to_the_database(ann, statement):
    with refusing_writes(), pytest.raises(WritesRefused), connection.cursor() as cursor:
        cursor.execute(statement)
    with refusing_writes():
        assert User.objects.get().language == ""
