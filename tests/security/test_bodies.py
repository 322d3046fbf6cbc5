"""Whatever is sent: no page takes more than it needs, nor files, nor the time of whoever serves it."""

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from storefront.web import bodies

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
PAGES = ["/accounts/login/", "/accounts/signup/", "/language/", "/wallet/", "/admin/login/", "/nowhere/"]


@pytest.mark.parametrize("address", PAGES)
def test_page_when_the_body_is_too_large_answers_413(address: str, settings: Any) -> None:
    body = "a=" + settings.DATA_UPLOAD_MAX_MEMORY_SIZE * "x"

    assert Client().post(address, body, content_type=FORM).status_code == 413


def test_callback_when_the_body_is_too_large_answers_413() -> None:
    answer = Client().post(reverse("wallet:callback", args=["stripe"]), 70_000 * b"x", content_type="application/json")

    assert answer.status_code == 413


def test_api_when_the_body_is_too_large_answers_as_programs_expect(settings: Any) -> None:
    body = "key=" + settings.DATA_UPLOAD_MAX_MEMORY_SIZE * "x"

    assert Client().post("/api/v2", body, content_type=FORM).json() == {"error": "Request is too large"}


@pytest.mark.parametrize("stated", ["-1", "1e3", "٣", "+1", "0x10"])
def test_page_when_the_length_is_no_number_answers_400(stated: str) -> None:
    assert Client().post("/accounts/login/", "a=b", content_type=FORM, CONTENT_LENGTH=stated).status_code == 400


def said_before_the_end(server: str, head: str, *, begins: bytes) -> tuple[str, float]:
    """Send the head of a request and only the beginning of its body; return the status line and how long it took."""
    parts = urlsplit(server)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
        began = time.monotonic()
        sock.sendall(head.replace("\n", "\r\n").encode() + begins)
        line = sock.makefile("rb").readline().decode()
        return line, time.monotonic() - began


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("address", "length", "status"),
    [
        ("/accounts/login/", "Content-Length: 999999999999", 413),
        ("/accounts/login/", "Transfer-Encoding: chunked", 413),
        ("/wallet/callbacks/stripe", "Transfer-Encoding: chunked", 413),
        ("/wallet/callbacks/stripe", "Content-Length: 70000", 413),
        ("/api/v2", "Transfer-Encoding: chunked", 413),
        ("/api/v2", "Content-Length: 999999999999", 200),  # in its own words
    ],
)
def test_body_when_it_never_ends_is_refused_before_it_is_read(
    live_server: Any, address: str, length: str, status: int
) -> None:
    head = f"POST {address} HTTP/1.1\nHost: localhost\nContent-Type: {FORM}\n{length}\n\n"

    line, seconds = said_before_the_end(live_server.url, head, begins=b"5\r\na=b&c\r\n")

    assert f" {status} " in line
    assert seconds < 10


@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/login/", "/posted/", "/api/v2", "/language/"])
def test_page_when_a_file_is_sent_takes_none(address: str, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    client = Client(raise_request_exception=False)

    answer = client.post(address, {"a": "b", "file": SimpleUploadedFile("evil.html", b"<script>")})

    if address == "/api/v2":
        assert answer.json() == {"error": "Request cannot be read"}
    else:
        assert answer.status_code == 400


def test_page_when_staff_sends_a_file_takes_none(sam: User) -> None:
    client = Client()
    client.force_login(sam)

    answer = client.post("/admin/accounts/user/add/", {"file": SimpleUploadedFile("evil.svg", b"<svg>")})

    assert answer.status_code == 400


def test_page_when_registered_takes_files_and_no_other_does(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    door = bodies.Door(bodies.re.compile(r"/posted/$"), 2_000_000, takes_files=True)
    monkeypatch.setattr(bodies, "DOORS", (*bodies.DOORS, door))
    files = [SimpleUploadedFile("scan.pdf", 1_500_000 * b"x"), SimpleUploadedFile("scan.pdf", 2_500_000 * b"x")]

    answers = [Client().post("/posted/", {"a": "b", "file": file}).status_code for file in files]

    assert answers == [200, 413]
    files[0].seek(0)
    assert Client().post("/accounts/login/", {"file": SimpleUploadedFile("a.txt", b"x")}).status_code == 400


def test_form_when_its_file_field_is_left_empty_is_read(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    body = (
        '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
        '--x\r\nContent-Disposition: form-data; name="f"; filename=""\r\n'
        "Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )

    answer = Client().post("/posted/", body, content_type="multipart/form-data; boundary=x")

    assert answer.content == b"['a', 'f']"  # empty, as the field is


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", ["/accounts/login/", "/posted/", "/api/v2", "/language/"])
def test_form_when_the_connection_breaks_in_the_middle_is_not_read_as_if_it_were_whole(
    live_server: Any, address: str, settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.security.broken_pages"
    parts = urlsplit(live_server.url)
    body = b"quantity=10"  # of 1000
    head = f"POST {address} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 13\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
        sock.sendall(head.encode() + body)
        sock.shutdown(socket.SHUT_WR)
        answer = sock.makefile("rb").read().decode()

    assert "quantity" not in answer.partition("\r\n\r\n")[2]
    assert "Request cannot be read" in answer if address == "/api/v2" else not answer.startswith("HTTP/1.1 200")
