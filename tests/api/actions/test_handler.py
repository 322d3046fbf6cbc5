"""The door of the API: keys, bodies of every kind, and answers that are JSON whatever comes in."""

import json

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse

from accounts.keys.api_keys import revoke_api_key
from accounts.models import ApiKey, User
from api.views import api_v2
from storefront.web.middleware import ApiMiddleware
from tests.api.conftest import Call

pytestmark = pytest.mark.django_db
BALANCE = {"balance": "100.00", "currency": "USD"}


def post(body: str | bytes, content_type: str, path: str = "/api/v2") -> dict:
    data = body if isinstance(body, bytes) else body.encode()
    answer = Client(enforce_csrf_checks=True).generic("POST", path, data, content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return json.loads(answer.content)


def test_call_with_a_slash_when_the_client_adds_one_then_it_is_answered_without_a_redirect(key: str) -> None:
    body = f"key={key}&action=balance"

    assert post(body, "application/x-www-form-urlencoded", "/api/v2/") == BALANCE


def test_call_as_json_when_the_client_speaks_it_then_it_is_understood(key: str) -> None:
    assert post(json.dumps({"key": key, "action": "balance"}), "application/json") == BALANCE


def test_call_when_it_answers_then_no_cookie_is_set_and_nothing_may_be_kept(key: str) -> None:
    answer = Client().post("/api/v2", {"key": key, "action": "balance"})

    assert answer.cookies == {}
    assert "Cookie" not in answer.get("Vary", "")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("text", ["", "wrong", "0" * 64, "x" * 5000, "ключ", "{key} 1"])
def test_call_when_the_key_is_wrong_then_it_is_refused(key: str, text: str) -> None:
    answer = Client().post("/api/v2", {"key": text.format(key=key), "action": "balance"})

    assert answer.json() == {"error": "Invalid API key"}


def test_call_when_the_key_is_revoked_then_it_is_refused(key: str, call: Call) -> None:
    assert call("balance") == BALANCE

    revoke_api_key(ApiKey.objects.get().pk)

    assert call("balance") == {"error": "Invalid API key"}


def test_call_when_the_account_is_disabled_then_it_is_refused(ann: User, call: Call) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert call("balance") == {"error": "Invalid API key"}


def test_call_when_the_key_is_in_the_address_then_it_is_not_read(key: str) -> None:
    answer = Client().post(f"/api/v2?key={key}&action=balance")

    assert answer.json() == {"error": "Invalid API key"}


def test_call_when_it_is_a_get_then_it_is_refused(key: str) -> None:
    answer = Client().get("/api/v2", {"key": key, "action": "balance"})

    assert (answer.status_code, answer.json()) == (200, {"error": "Method not allowed"})


@pytest.mark.parametrize("action", ["", "Balance", "refills", "__init__", "balance\x00"])
def test_call_when_the_action_is_not_known_then_it_is_refused(call: Call, action: str) -> None:
    expected = "Request cannot be read" if "\x00" in action else "Invalid action"

    assert call(action) == {"error": expected}


def test_call_when_harmless_extras_are_sent_then_they_are_ignored(call: Call) -> None:
    assert call("balance", lang="ru", runs="undefined", limit="0") == BALANCE


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{", "application/json"),
        ("[1]", "application/json"),
        ('"key"', "application/json"),
        ("[" * 100_000, "application/json"),
        (b"\xff\xfe", "application/json"),
        ('{"key": "\\ud800", "action": "balance"}', "application/json"),
        ("key=%00&action=balance", "application/x-www-form-urlencoded"),
        (b"key=\xff&action=balance", "application/x-www-form-urlencoded; charset=latin-1"),
        ("&".join(f"a{number}=1" for number in range(2000)), "application/x-www-form-urlencoded"),
        ("garbage", "multipart/form-data"),
        ("garbage", "multipart/form-data; boundary="),
    ],
)
def test_call_when_the_body_is_broken_then_the_answer_is_an_error_object(
    db: None, body: str | bytes, content_type: str
) -> None:
    assert post(body, content_type) == {"error": "Request cannot be read"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("key=%s", "application/x-www-form-urlencoded"),
        ('{"key": "%s"}', "application/json"),
        (
            '--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%s\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_call_when_the_body_is_giant_then_the_answer_is_an_error_object(db: None, body: str, content_type: str) -> None:
    giant = body % ("x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))

    assert post(giant, content_type) == {"error": "Request is too large"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("", "application/json"), ("", "text/plain"), ("key=1", "text/plain"), ("x", "multipart/form-data; boundary=x")],
)
def test_call_when_the_body_names_no_key_then_the_answer_is_json(db: None, body: str, content_type: str) -> None:
    assert post(body, content_type)["error"] in ("Invalid API key", "Request cannot be read")


def test_call_when_the_caller_prefers_another_language_then_the_texts_stay(key: str) -> None:
    answer = Client().post("/api/v2", {"key": key, "action": "nothing"}, headers={"accept-language": "ru"})

    assert answer.json() == {"error": "Invalid action"}


def test_call_when_it_takes_the_short_way_then_it_is_counted_like_a_page_and_its_host_is_checked(key: str) -> None:
    client = Client()

    answer = client.post("/api/v2", {"key": key, "action": "balance"})
    stranger = client.post("/api/v2", {"key": key, "action": "balance"}, headers={"Host": "evil.example"})
    metrics = client.get("/metrics").content.decode()

    assert answer["Content-Length"] == str(len(answer.content))
    assert "Content-Language" not in answer, "it went through what only browsers need"
    assert (answer["X-Content-Type-Options"], len(answer["X-Request-Id"])) == ("nosniff", 16)
    assert stranger.status_code == 400
    assert 'responses_total_by_status_view_method_total{method="POST",status="200",view="api:v2"}' in metrics


def test_addresses_of_the_short_way_are_the_doors_own() -> None:
    assert {resolve(path).func for path in ApiMiddleware.paths} == {api_v2}
    assert reverse("api:v2") in ApiMiddleware.paths
