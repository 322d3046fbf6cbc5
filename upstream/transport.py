"""The socket under the client: one form posted, one status and body back, within one bound of time.

What `requests` does not do by itself, and a purchase needs:
- its time-outs count from byte to byte, so a reply that drips could last for ever: here the whole call has one bound;
- it reuses connections that have been idle for long, on which a request may vanish: here those are replaced;
- it follows redirects and keeps cookies: here neither;
- its exceptions hold the request, and with it the key: here only words leave.
"""

import http.client
import http.cookiejar
import io
import socket
import threading
import time
from typing import Any, NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# Servers commonly drop a connection that was idle for 5 seconds (Node's default); a request that crosses with that is
# lost without an answer. A connection idle for longer than this is closed and opened anew before anything is sent.
IDLE_SECONDS = 3.0
# Connecting may take this share of the call, for each of at most so many addresses the name has.
CONNECT_SHARE = 3
CHUNK_BYTES = 256 * 1024


class NothingSent(Exception):
    """The request never left: no connection was made."""


class PerhapsSent(Exception):
    """The request may have arrived; no complete answer came back."""


class Answer(NamedTuple):
    """An HTTP answer as it came; `retry_after` is that header's text or ""."""

    status: int
    body: bytes
    retry_after: str


class _ClockedReader(io.RawIOBase):
    """Reads a socket until a fixed moment, instead of waiting anew for each piece."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, ends_at: float) -> None:
        self._sock, self._raw, self._ends_at = sock, raw, ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ClockedResponse(http.client.HTTPResponse):
    """Takes the socket's time-out at the start of the answer as what is left for all of it, head and body."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        ends_at = time.monotonic() + (sock.gettimeout() or 0)
        self.fp = io.BufferedReader(_ClockedReader(sock, self.fp.detach(), ends_at))


class _Careful(HTTPConnection):
    """A connection that knows how long it was idle, and whose connecting fails before sending or not at all."""

    response_class = _ClockedResponse
    idle_seconds = IDLE_SECONDS
    _used_at = 0.0

    @property
    def is_connected(self) -> bool:
        """False makes the pool close the connection and open it anew, before the request is written."""
        fresh = time.monotonic() - self._used_at < self.idle_seconds
        return fresh and super().is_connected

    def connect(self) -> None:
        """Connect and shake hands. Whatever fails in here failed before the first byte of the request."""
        began = time.monotonic()
        try:
            super().connect()
        except ConnectTimeoutError:
            raise  # refused, name not found, timed out: already said in these words
        except Exception as error:  # a handshake or certificate that fails comes in many classes
            self.close()
            raise NewConnectionError(self, f"{type(error).__name__}: {error}") from error
        self._used_at = time.monotonic()
        # The resolver knows no time-out; after a slow one there is no time left to send.
        if self._used_at - began >= CONNECT_SHARE * (self.timeout or 0):
            self.close()
            raise ConnectTimeoutError("connecting took all the time there was")

    def getresponse(self) -> Any:
        """Note when the connection last answered anything; the body that follows makes it fresher still."""
        response = super().getresponse()
        self._used_at = time.monotonic()
        return response


class _CarefulTLS(_Careful, HTTPSConnection):
    """The same over TLS; the handshake belongs to connecting."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Careful


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _CarefulTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow nothing: a purchase that is posted to a second address may be placed twice."""
        return


class Transport:
    """Posts forms to one address over pooled connections. Many threads may share it; processes may not."""

    def __init__(self, url: str, *, pool_size: int, max_body_bytes: int) -> None:
        self._url = url
        self._max_body_bytes = max_body_bytes
        self._session = _Session()
        # Proxies and .netrc from the environment would put a stranger, or a password, into the conversation.
        self._session.trust_env = False
        self._session.cookies.set_policy(_no_cookies())
        self._session.headers["Accept"] = "application/json"
        self._session.headers["User-Agent"] = "storefront/1"
        # No retries here, ever: the layer above knows which calls may be repeated.
        adapter = _Adapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes = 0

    def close(self) -> None:
        self._session.close()

    def usage(self) -> tuple[int, int]:
        with self._lock:
            return self.requests, self.bytes

    def post(self, form: dict[str, str], seconds: float) -> Answer:
        """Post `form` and read the whole answer within `seconds`.

        Raises NothingSent or PerhapsSent, with a text that may quote upstream but never the form.
        """
        with self._lock:
            self.requests += 1
        failure: Exception
        try:
            return self._exchange(form, seconds)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            # The errors of `requests` are OSErrors; ValueError is what http.client lets through of a garbled answer.
            failure = NothingSent(_words(error)) if _never_connected(error) else PerhapsSent(_words(error))
        # Raised out here, so that the exception above, which holds the request, is not attached as the context.
        raise failure

    def _exchange(self, form: dict[str, str], seconds: float) -> Answer:
        timeout = urllib3.Timeout(connect=seconds / CONNECT_SHARE, total=seconds)
        with self._session.post(
            self._url,
            data=form,
            timeout=timeout,  # type: ignore[arg-type]  # handed to urllib3 as it is, which the stubs do not know
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            try:
                for chunk in response.iter_content(CHUNK_BYTES):
                    body += chunk
                    if len(body) > self._max_body_bytes:
                        raise requests.ConnectionError(f"the answer exceeds {self._max_body_bytes} bytes")
            finally:
                with self._lock:
                    self.bytes += len(body)
            return Answer(response.status_code, bytes(body), response.headers.get("Retry-After", ""))


def _no_cookies() -> http.cookiejar.DefaultCookiePolicy:
    return http.cookiejar.DefaultCookiePolicy(allowed_domains=[])


def _never_connected(error: Exception) -> bool:
    """Whether `error` came out of `_Careful.connect`, or from before it."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    return isinstance(_inner(error), ConnectTimeoutError)


def _inner(error: BaseException) -> BaseException:
    """The exception that `requests` and `urllib3` wrapped, at the bottom."""
    while True:
        wrapped = [part for part in (*error.args, getattr(error, "reason", None)) if isinstance(part, BaseException)]
        if not wrapped:
            return error
        error = wrapped[-1]


def _words(error: Exception) -> str:
    """Say what happened in the system's own words; a broken answer is not quoted, it may hold anything."""
    inner = _inner(error)
    quotable = isinstance(inner, (OSError, urllib3.exceptions.TimeoutError))
    return f"{type(inner).__name__}: {inner}" if quotable else type(inner).__name__
