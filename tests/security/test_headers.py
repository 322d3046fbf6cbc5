"""What each kind of answer tells browsers: a snapshot, so that nothing of it goes missing unseen."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from storefront.web.headers import ALWAYS, NO_PAGE_POLICY

pytestmark = pytest.mark.django_db

PAGE = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; "
    "object-src 'none'; script-src 'self'; style-src 'self'"
)
ADMIN = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; "
    "object-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
)
HSTS = "max-age=31536000"
ON_ALL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOOKED_AT = (
    *ON_ALL,
    *("Content-Security-Policy", "Strict-Transport-Security"),
    *("Access-Control-Allow-Origin", "Server", "X-Powered-By"),
)
OF_A_PAGE = {**ON_ALL, "Content-Security-Policy": PAGE, "Strict-Transport-Security": HSTS}
OF_THE_ADMIN = {**OF_A_PAGE, "Content-Security-Policy": ADMIN}
OF_NO_PAGE = {**ON_ALL, "Content-Security-Policy": NO_PAGE_POLICY, "Strict-Transport-Security": HSTS}
BEFORE_TLS_IS_LOOKED_AT = {**ON_ALL, "Content-Security-Policy": NO_PAGE_POLICY}
OF_A_FILE = {**ON_ALL, "Strict-Transport-Security": HSTS}

KINDS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "home": ("", "/", 200, OF_A_PAGE),
    "catalog": ("", "/catalog/", 200, OF_A_PAGE),
    "sign-in": ("", "/accounts/login/", 200, OF_A_PAGE),
    "documentation": ("", "/api/docs/", 200, OF_A_PAGE),
    "signed-in": ("ann", "/account/", 200, OF_A_PAGE),
    "orders": ("ann", "/orders/", 200, OF_A_PAGE),
    "wallet": ("ann", "/wallet/", 200, OF_A_PAGE),
    "csv": ("ann", "/orders/export/", 200, OF_A_PAGE),
    "redirect": ("", "/account/", 302, OF_A_PAGE),
    "not found": ("", "/nowhere/", 404, OF_A_PAGE),
    "admin": ("sam", "/admin/", 200, OF_THE_ADMIN),
    "admin list": ("sam", "/admin/orders/order/", 200, OF_THE_ADMIN),
    "admin, not found": ("sam", "/admin/nowhere/", 404, OF_THE_ADMIN),
    "static": ("", "/static/js/site.js", 200, OF_A_FILE),
    "health": ("", "/health/live", 200, BEFORE_TLS_IS_LOOKED_AT),
    "metrics of strangers": ("", "/metrics", 404, BEFORE_TLS_IS_LOOKED_AT),
}


@pytest.fixture
def _https(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.DEBUG = False  # as in production: pages of errors are the shop's


@pytest.fixture
def people(ann: User, sam: User) -> dict[str, User]:
    return {"ann": ann, "sam": sam}


def headers_of(response: Any) -> dict[str, str]:
    return {name: _sorted(name, response.headers[name]) for name in LOOKED_AT if name in response.headers}


def _sorted(name: str, value: str) -> str:
    """Return a value with its directives in an order that says nothing: default-src first, the others by name."""
    if name != "Content-Security-Policy" or value == NO_PAGE_POLICY:
        return value
    return "; ".join(sorted(value.split("; "), key=lambda part: (not part.startswith("default-src"), part)))


@pytest.mark.usefixtures("_https")
@pytest.mark.parametrize("kind", KINDS)
def test_headers_of_every_kind_of_page(kind: str, people: dict[str, User]) -> None:
    who, address, status, expected = KINDS[kind]
    client = Client(REMOTE_ADDR="203.0.113.9", raise_request_exception=False)
    if who:
        client.force_login(people[who])

    response = client.get(address, secure=True)

    assert response.status_code == status
    assert headers_of(response) == expected
    assert response.headers["Permissions-Policy"] == ALWAYS["Permissions-Policy"]


@pytest.mark.usefixtures("_https")
def test_headers_of_programs_answers_and_refusals(ann: User, settings: Any) -> None:
    client = Client(raise_request_exception=False)
    key = create_api_key(user=ann, name="k")[1]
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    answers = {
        "api": (client.post("/api/v2", {"key": key, "action": "balance"}, secure=True), 200, OF_NO_PAGE),
        "callback": (
            client.post(reverse("wallet:callback", args=["stripe"]), b"{}", content_type="text/plain", secure=True),
            404,
            OF_A_PAGE,
        ),
        "error": (client.get("/broken/", secure=True), 500, OF_A_PAGE),
        "too large": (
            client.post("/", 1_000_001 * "x", content_type="text/plain", secure=True),
            413,
            BEFORE_TLS_IS_LOOKED_AT,
        ),
        "foreign host": (client.get("/", headers={"host": "evil.example"}, secure=True), 400, OF_A_PAGE),
    }

    for kind, (answer, status, expected) in answers.items():
        assert (kind, answer.status_code, headers_of(answer)) == (kind, status, expected)


def test_permissions_policy_lets_pages_copy_and_use_passkeys() -> None:
    assert "camera=()" in ALWAYS["Permissions-Policy"]
    assert "clipboard" not in ALWAYS["Permissions-Policy"]
    assert "publickey" not in ALWAYS["Permissions-Policy"]


def test_http_is_sent_on_to_https_but_health_is_answered(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answers = {path: Client().get(path) for path in ("/", "/accounts/login/", "/api/docs/", "/health/live")}

    assert [answer.status_code for answer in answers.values()] == [301, 301, 301, 200]
    assert answers["/"].headers["Location"] == "https://testserver/"


# --- A host of its own for the admin ----------------------------------------------------------------------------------
@pytest.fixture
def _admin_host(settings: Any) -> None:
    settings.ADMIN_HOST = "admin.example.com"
    settings.ALLOWED_HOSTS = ["testserver", "admin.example.com"]


@pytest.mark.usefixtures("_admin_host")
@pytest.mark.parametrize(
    ("host", "address", "status"),
    [
        ("admin.example.com", "/admin/", 200),
        ("admin.example.com", "/admin/orders/order/", 200),
        ("admin.example.com", "/", 302),
        ("admin.example.com", "/static/js/site.js", 200),
        *(("admin.example.com", path, 404) for path in ("/account/", "/orders/", "/catalog/", "/api/v2", "/wallet/")),
        ("testserver", "/", 200),
        *(("testserver", path, 404) for path in ("/admin/", "/admin", "/admin/login/", "/admin/orders/order/")),
    ],
)
def test_admin_host_when_set_serves_the_admin_alone_and_nobody_else_does(
    sam: User, host: str, address: str, status: int
) -> None:
    client = Client()
    client.force_login(sam)

    assert client.get(address, headers={"host": host}).status_code == status


@pytest.mark.usefixtures("_admin_host")
def test_admin_host_when_a_stranger_comes_lets_them_sign_in_there() -> None:
    client = Client(headers={"host": "admin.example.com"})

    answer = client.get("/admin/", follow=True)

    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == reverse("account_login")


@pytest.mark.usefixtures("_admin_host")
def test_admin_host_when_staff_shops_leads_them_there(sam: User, settings: Any) -> None:
    settings.ADMIN_URL = "https://admin.example.com"
    client = Client()
    client.force_login(sam)

    assert 'href="https://admin.example.com/admin/"' in client.get("/orders/").content.decode()


@pytest.mark.usefixtures("_admin_host")
def test_admin_host_when_a_callback_comes_there_it_is_not_served() -> None:
    answer = Client(headers={"host": "admin.example.com"}).post(reverse("wallet:callback", args=["stripe"]))

    assert answer.status_code == 404


def test_outermost_middleware_is_the_one_of_headers_then_that_of_bodies() -> None:
    assert [name.rpartition(".")[2] for name in django_settings.MIDDLEWARE[:2]] == [
        "HeadersMiddleware",
        "BodyMiddleware",
    ]
