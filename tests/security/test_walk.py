"""Who may come where: every address × everybody who could ask × every method.

`make test` asks for each address by the first of the methods, which browsers use, and by one of the others, another one
for the next address; `make test-long` by all of them.
"""

import itertools
from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from orders.models import Order
from tests.conftest import customer
from tests.samples import each_method
from tests.security.addresses import Addresses, Route, admin_addresses, is_of_the_admin, routes
from tests.storefront.admin_rows import make_rows

pytestmark = pytest.mark.django_db

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")

# Everybody may read these.
OPEN = {
    "home", "catalog:index", "catalog:search", "catalog:category", "orders:place", "sms:home", "sms:site",
    "sms:country", "sms:buy", "api:openapi", "api:docs", "ref", "set_language", "account_login",
    "account_logout", "account_inactive", "account_signup", "account_email_verification_sent",
    "account_reset_password", "account_confirm_login_code", "account_confirm_email",
    "account_reset_password_from_key", "account_reset_password_from_key_done", "account_reset_password_done",
    "mfa_authenticate", "mfa_login_webauthn", "undo_email_change", "usersessions_list", "privacy:keep", "palette",
    "palette_found", "robots", "sitemap", "sitemap_file", "manifest", "favicon", "face_styles", "face_picture",
    "orders:quick", "orders:quick_services", "service_worker", "offline", "support:status", "support:status_feed",
    "support:announcements", "support:dismiss_announcement", "support:help", "changes", "changes_feed",
    "documents:document", "notices:unsubscribe",
}  # fmt: skip
# Programs call these, with a secret or a signature of their own instead of a session.
FOR_PROGRAMS = {"api:v2", "wallet:callback"}
# Pressed on pages that come from the cache and so hold no token; all they change is the language of whoever asks, and
# whether a bar is shown to them. And what a mail program posts without cookies: the address itself is signed.
WITHOUT_A_TOKEN = {"set_language", "support:dismiss_announcement", "notices:unsubscribe"}
# What belongs to one customer: to anybody else it does not exist.
OF_ONE_CUSTOMER = {
    "orders:detail", "orders:cancel", "orders:goods", "orders:goods_claim", "orders:goods_file", "orders:ask",
    "wallet:receipt", "wallet:payment", "wallet:pay", "wallet:cancel", "wallet:declare", "wallet:demo", "sms:cancel",
    "sms:replace", "sms:replacement_rule", "api:key", "api:key_show", "api:key_rotate", "api:key_revoke", "api:webhook",
    "api:webhook_rotate", "api:webhook_test", "api:webhook_switch", "api:webhook_delete", "api:webhook_delivery",
    "api:webhook_replay", "mfa_edit_webauthn", "mfa_remove_webauthn", "privacy:download",
    "notices:open",
    "support:ticket", "support:rating", "support:attachment",
}  # fmt: skip
# Everything else is for whoever has signed in.


@pytest.fixture
def owner(db: None) -> User:
    for number in (1, 2):
        make_rows(number)
    return User.objects.get(email="customer2@example.com")


def pages() -> list[Route]:
    return [route for route in routes() if not is_of_the_admin(route)]


def ask(client: Client, method: str, address: str) -> HttpResponse:
    return client.generic(method, address, b"", content_type="application/x-www-form-urlencoded")


def signed_in(user: User | None, **options: bool) -> Client:
    client = Client(raise_request_exception=False, **options)
    if user is not None:
        client.force_login(user)
    return client


def walked(
    client: Client,
    addresses: list[str],
    judge: Callable[[HttpResponse], bool],
    *,
    whole: bool,
    methods: tuple[str, ...] = METHODS,
    always: int = 2,
) -> list[str]:
    """Ask for every address by every method, or by the first ones and another; return where the judge said no."""
    found, others = [], itertools.cycle(methods[always:] or methods)
    for address in addresses:
        for method in methods if whole else (*methods[:always], next(others)):
            answer = ask(client, method, address)
            says_nothing = method == "OPTIONS" and not answer.content
            if answer.status_code >= 500 or not (says_nothing or judge(answer)):
                found.append(f"{method} {address}: {answer.status_code} {answer.headers.get('Location', '')}")
    return found


def is_closed(answer: HttpResponse) -> bool:
    return answer.status_code in (403, 404, 405)


def asks_to_sign_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/")


def test_every_route_is_of_a_kind(owner: User) -> None:
    known = OPEN | FOR_PROGRAMS | OF_ONE_CUSTOMER
    assert known <= {route.name for route in pages()}
    with_an_object = {route.name for route in pages() if "<" in route.pattern}
    # The last one leads back to one's own sessions, whoever's it names: see test_stolen_session.py.
    for_all_customers = {"catalog:favorite", "orders:stock_alert", "wallet:month", "end_session"}
    assert with_an_object - known == for_all_customers, "say in which of these kinds a new address is"


@each_method
def test_a_visitor_gets_no_further_than_the_sign_in(owner: User, whole: bool) -> None:
    addresses = Addresses(owner)
    closed = [addresses.of(route) for route in pages() if route.name not in OPEN | FOR_PROGRAMS]
    before = list(Order.objects.values_list("pk", "status"))

    assert not walked(signed_in(None), closed, lambda answer: asks_to_sign_in(answer) or is_closed(answer), whole=whole)
    assert before == list(Order.objects.values_list("pk", "status"))


@each_method
def test_another_customer_finds_nothing_where_something_belongs_to_one(owner: User, whole: bool) -> None:
    addresses = Addresses(owner)
    theirs = [addresses.of(route) for route in pages() if route.name in OF_ONE_CUSTOMER]
    eve = signed_in(customer("eve@example.com", money="50"))

    assert not walked(
        eve, theirs, lambda answer: answer.status_code in (404, 405) or asks_to_sign_in(answer), whole=whole
    )


def test_a_session_is_ended_by_its_owner_alone(owner: User) -> None:
    address = Addresses(owner)
    end = address.of(next(route for route in pages() if route.name == "end_session"))

    signed_in(customer("eve@example.com")).post(end)

    assert UserSession.objects.filter(user=owner, session_key="k").exists()


@each_method
def test_nothing_is_changed_without_the_token_of_the_form(owner: User, whole: bool) -> None:
    addresses = Addresses(owner)
    forms = [addresses.of(route) for route in pages() if route.name not in FOR_PROGRAMS | WITHOUT_A_TOKEN]

    assert not walked(
        signed_in(owner, enforce_csrf_checks=True), forms, is_closed, whole=whole, methods=CHANGING, always=1
    )


@each_method
def test_no_page_knows_more_methods_than_it_needs(owner: User, whole: bool) -> None:
    addresses = Addresses(owner)
    # allauth's views, which Django's own serve PUT like POST: with the token of the form, as above.
    ours = [
        addresses.of(route)
        for route in pages()
        if route.name not in FOR_PROGRAMS and not route.name.startswith(("account_", "mfa_"))
    ]

    assert not walked(
        signed_in(owner),
        ours,
        lambda answer: answer.status_code == 302 or is_closed(answer),
        whole=whole,
        methods=("PUT", "PATCH", "DELETE", "TRACE"),
        always=1,
    )


@pytest.mark.parametrize("who", ["a visitor", "a customer"])
def test_the_admin_is_closed_to_all_but_staff(owner: User, who: str) -> None:
    client = signed_in(None if who == "a visitor" else owner)

    assert not walked(
        client,
        admin_addresses(),
        lambda answer: asks_to_sign_in(answer) or answer.status_code in (301, 302) or is_closed(answer),
        whole=True,
        methods=("GET", "POST"),
    )
