"""Where a webhook may point, however its name is spelled, resolved or redirected, and how long a receiver may take."""

import datetime
import ssl
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.webhooks import posting
from api.webhooks.addresses import NotAllowed, check_addresses, resolve, target_of
from api.webhooks.posting import post
from tests.api.webhooks.receiver import Receiver

NOT_PUBLIC = "The address is not on the public internet."


@pytest.fixture
def _public_only(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []


def to(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver that knows one answer."""
    return lambda _host, _port: list(addresses)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104 - not listened on
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "::127.0.0.1"),
        *("2001:0:7f00:1::f5ff:fffe", "2001:db8::1", "fec0::1", "::ffff:0:127.0.0.1"),
        # A translator of the network's own: 169.254.169.254 behind the 48 bits, a public address at the end.
        "64:ff9b:1:a9fe:a9:fe00:5db8:d822",
    ],
)
@pytest.mark.usefixtures("_public_only")
def test_check_addresses_when_one_leads_inside_then_it_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        check_addresses([address])
    with pytest.raises(NotAllowed):
        check_addresses(["93.184.216.34", address])


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
@pytest.mark.usefixtures("_public_only")
def test_check_addresses_when_public_then_they_pass(address: str) -> None:
    check_addresses([address])


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "example.com", "", "https://", "//h/"),
        *("https://user:pass@example.com/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/"),
        *("https://exa mple.com/", "https://h:99999/", "https://10.0.0.1:8080/x", "https://h\r\nX: y/"),
        *("https://127.0.0.1./", "https://./", "https://１２７.0.0.1/", "https://[::1%25eth0]/"),
    ],
)
@pytest.mark.usefixtures("_public_only")
def test_target_of_when_no_webhook_may_point_there_then_it_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        target_of(url)


@pytest.mark.usefixtures("_public_only")
def test_target_of_when_http_is_not_allowed_then_only_https_passes(settings: Any) -> None:
    assert target_of("http://example.com").path == "/"
    settings.WEBHOOK_ALLOW_HTTP = False
    with pytest.raises(NotAllowed):
        target_of("http://example.com")
    target = target_of("https://Example.com:8443/a b?c=d#e")
    assert (target.host, target.port, target.path, target.name) == (
        "example.com",
        8443,
        "/a%20b?c=d",
        "example.com:8443",
    )


@pytest.mark.usefixtures("_public_only")
def test_target_of_when_the_name_ends_with_a_dot_then_it_is_the_same_name() -> None:
    assert target_of("https://example.com./in") == target_of("https://example.com/in")


@pytest.mark.parametrize("host", ["localhost", "localhost.", "2130706433", "0x7f.1", "127.1", "0"])
def test_post_when_a_name_or_an_odd_number_means_this_machine_then_nothing_is_sent(
    receiver: Receiver,
    host: str,
    settings: Any,
) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []

    answer = post(f"http://{host}:{receiver.port}/", b"{}", {}, resolver=resolve)

    assert (answer.status, answer.error) == (None, NOT_PUBLIC)
    assert receiver.received == []


def test_post_when_the_name_changes_its_address_then_the_connection_goes_to_the_one_that_was_checked(
    receiver: Receiver,
    settings: Any,
) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = [ip_network("127.0.0.1/32")]
    url = f"http://hooks.example.com:{receiver.port}/in"

    assert post(url, b"{}", {}, resolver=rebinding).delivered
    assert asked == ["hooks.example.com"]  # once: nobody resolves it again to connect
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.port}"
    assert post(url, b"{}", {}, resolver=rebinding).error == NOT_PUBLIC
    assert post(url, b"{}", {}, resolver=to("127.0.0.1", "10.0.0.1")).error == NOT_PUBLIC
    assert len(receiver.received) == 1


def test_post_when_the_first_address_does_not_answer_then_the_next_one_is_tried(
    receiver: Receiver,
) -> None:
    url = f"http://hooks.example.com:{receiver.port}/"

    assert post(url, b"{}", {}, resolver=to("127.0.0.9", "127.0.0.1")).delivered
    assert post(url, b"{}", {}, resolver=to("127.0.0.9")).error == "The server cannot be reached."


def test_post_when_the_environment_names_a_proxy_then_it_is_not_used(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.url, b"{}", {}).delivered


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_post_when_the_receiver_redirects_then_it_is_a_failure_and_not_followed(
    receiver: Receiver,
    status: int,
) -> None:
    receiver.says(status, headers=f"Location: {receiver.url}\r\n")

    answer = post(receiver.url, b"{}", {})

    assert (answer.status, answer.delivered, len(receiver.received)) == (status, False, 1)
    assert "Redirects are not followed" in answer.error


@pytest.mark.parametrize(("status", "delivered"), [(200, True), (204, True), (299, True), (400, False), (500, False)])
def test_post_when_it_is_answered_then_only_2xx_is_a_success(
    receiver: Receiver,
    status: int,
    delivered: bool,
) -> None:
    receiver.says(status)

    assert post(receiver.url, b"{}", {}).delivered is delivered


def test_post_when_the_answer_is_huge_then_only_its_beginning_is_read(receiver: Receiver) -> None:
    written = []

    def endless(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        for _each in range(10_000):  # 640 MB, if anybody would take them
            out.write(b"x" * 65_536)
            written.append(65_536)

    receiver.answer = endless
    began = time.monotonic()

    assert post(receiver.url, b"{}", {}).delivered
    assert time.monotonic() - began < 5
    time.sleep(0.2)
    assert sum(written) < 50_000_000


@pytest.mark.parametrize("nonsense", [b"", b"\0\1\2", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nA" + b"a" * 70_000])
def test_post_when_the_answer_is_nonsense_then_it_is_a_failure(receiver: Receiver, nonsense: bytes) -> None:
    receiver.answer = lambda out: out.write(nonsense)

    assert not post(receiver.url, b"{}", {}).delivered


def test_post_when_the_receiver_is_silent_then_it_is_not_waited_for_long(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "READ_SECONDS", 0.3)
    receiver.answer = lambda _out: time.sleep(2)
    began = time.monotonic()

    assert post(receiver.url, b"{}", {}).error == "The server did not answer in time."
    assert time.monotonic() - began < 1.5


def test_post_when_the_receiver_drips_its_answer_then_it_is_cut_off(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 0.6)

    def drip(out: Any) -> None:
        for letter in b"HTTP/1.1" + b" " * 100 + b"200 OK":
            out.write(bytes([letter]))
            time.sleep(0.05)

    receiver.answer = drip
    began = time.monotonic()

    assert not post(receiver.url, b"{}", {}).delivered
    assert time.monotonic() - began < 3


# --- TLS ------------------------------------------------------------------------------------------------------------
def certificate(folder: Path, name: str) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name[0].isdigit():
        names = [x509.IPAddress(ip_address(name))]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def secure(receiver: Receiver, tmp_path: Path) -> Callable[[str], list[str]]:
    """Let the receiver speak TLS with a certificate for this name; returns the names it is asked for by SNI."""

    def wear(name: str) -> list[str]:
        asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path, name))
        context.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)
        plain = receiver._server.socket
        receiver._server.socket = context.wrap_socket(plain, server_side=True)
        return asked

    return wear


def test_post_when_over_tls_then_name_and_certificate_are_those_of_the_name_not_of_the_address(
    receiver: Receiver,
    secure: Callable[[str], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = secure("hooks.example.com")
    url = f"https://hooks.example.com:{receiver.port}/"

    assert post(url, b"{}", {}, resolver=to("127.0.0.1")).error.startswith("TLS: ")  # nobody vouches for it
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hooks.example.com.pem"))
    assert post(url, b"{}", {}, resolver=to("127.0.0.1")).delivered
    other = post(url.replace("hooks", "other"), b"{}", {}, resolver=to("127.0.0.1"))
    assert other.error.startswith("TLS: ")
    assert asked == ["hooks.example.com", "hooks.example.com", "other.example.com"]
    assert len(receiver.received) == 1
