"""Posting one message: to the address that was checked, within a bounded time, reading little of the answer."""

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from api.webhooks.addresses import NotAllowed, Resolve, Target, check_addresses, resolve, target_of

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
# However slowly a receiver drips its answer: for each of its addresses that is tried.
TOTAL_SECONDS = 20.0
MAX_OF_ANSWER = 4096
MAX_ADDRESSES = 2


@dataclass(frozen=True)
class Answer:
    """What came of it: the status where there was one, and in words what was wrong; none of the receiver's own."""

    status: int | None
    error: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: dict[str, str], *, resolver: Resolve = resolve) -> Answer:
    """Post `body` and return what came of it; raises nothing. No redirects, no proxies, no cookies.

    The name is resolved once and every address it has is checked; the connection goes to one of these, while the Host
    header, TLS and its certificate speak of the name.
    """
    try:
        target = target_of(url)
        addresses = resolver(target.host, target.port)
        check_addresses(addresses)
    except NotAllowed as error:
        return Answer(None, str(error))
    except (OSError, UnicodeError):
        return Answer(None, "The name of the server cannot be resolved.")
    answer = Answer(None, "The name of the server has no address.")
    for address in addresses[:MAX_ADDRESSES]:
        try:
            return _exchange(target, address, body, headers)
        except (ConnectTimeoutError, NewConnectionError):  # nothing was sent: the next one may be reached
            answer = Answer(None, "The server cannot be reached.")
        except (HTTPError, OSError, ValueError) as error:  # http.client lets a ValueError through of a garbled answer
            return Answer(None, _words(error))
    return answer


def _exchange(target: Target, address: str, body: bytes, headers: dict[str, str]) -> Answer:
    with _pool(target, address) as pool:
        response = pool.urlopen(
            "POST",
            target.path,
            body=body,
            headers={**headers, "Host": target.name},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            response.read(MAX_OF_ANSWER)
        except (HTTPError, OSError):
            pass  # the status has been said
        finally:
            response.close()
    if 200 <= response.status < 300:
        return Answer(response.status)
    redirect = " Redirects are not followed." if 300 <= response.status < 400 else ""
    return Answer(response.status, f"The server answered {response.status}.{redirect}")


def _pool(target: Target, address: str) -> HTTPConnectionPool:
    timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    if target.scheme == "http":
        return _Pool(address, target.port, timeout=timeout, maxsize=1)
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()  # and what this machine trusts beside
    return _SecurePool(
        address,
        target.port,
        timeout=timeout,
        maxsize=1,
        ssl_context=context,
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _words(error: Exception) -> str:
    if isinstance(error, SSLError):
        return f"TLS: {error}"[:300]
    if isinstance(error, ReadTimeoutError):
        return "The server did not answer in time."
    return "The connection broke before the server answered."


class _Bounded:
    """A connection that is cut when its time is over: time-outs of sockets only bound each single read."""

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's, which this is mixed into
        self._handle = sock.dup()  # TLS takes the socket itself over
        self._watchdog = threading.Timer(TOTAL_SECONDS, _cut, [self._handle])
        self._watchdog.daemon = True
        self._watchdog.start()
        return sock

    def close(self) -> None:
        if hasattr(self, "_watchdog"):
            self._watchdog.cancel()
            self._handle.close()
        super().close()  # type: ignore[misc]  # as above


def _cut(handle: socket.socket) -> None:
    with suppress(OSError):  # it has ended meanwhile
        handle.shutdown(socket.SHUT_RDWR)


class _Connection(_Bounded, HTTPConnection):
    pass


class _SecureConnection(_Bounded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection
