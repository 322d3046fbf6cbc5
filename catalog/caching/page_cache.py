"""Whole pages of visitors, cached until the catalog or a price changes.

What is cached is the same for everybody who asks for it in one language: a page that was made with a token, a nonce
or a cookie is not cached, and whoever comes with a session or a message gets a page of their own. Browsers are asked to
come back with the page's tag, and are told in a few bytes that nothing has changed.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, urlencode
from django.utils.translation import get_language

from accounts.access import PageRequest, personal_page
from catalog.caching.above import above
from catalog.caching.replica import read_at
from catalog.caching.versioned_cache import cache_key, cached, look_up, one_maker, store

P = ParamSpec("P")
LONGEST_QUERY = 100
COMPRESSION = 6  # gzip's level: made once and sent often


@dataclass(frozen=True)
class CachedPage:
    """A page as it is sent to every visitor, compressed once for all of them: it holds no secret to give away."""

    body: bytes
    compressed: bytes  # by gzip
    content_type: str
    etag: str  # a weak one: it is the same page, compressed or not
    made_at: datetime

    @classmethod
    def of(cls, response: HttpResponse) -> "CachedPage":
        body = response.content
        digest = hashlib.sha256(body).hexdigest()[:32]
        made_at = timezone.now()
        return cls(body, gzip.compress(body, COMPRESSION, mtime=0), response["Content-Type"], f'W/"{digest}"', made_at)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page, or 304 when the browser has it."""
        compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(self.compressed if compressed else self.body, content_type=self.content_type)
        made_at = int(self.made_at.timestamp())
        response["ETag"], response["Last-Modified"] = self.etag, http_date(made_at)
        # Cached by the browser alone, and asked about each time: the reader may have signed in, the price have changed.
        response["Cache-Control"], response["Vary"] = "private, no-cache", "Cookie, HX-Request, Accept-Encoding"
        if compressed:
            response["Content-Encoding"] = "gzip"
        return get_conditional_response(request, self.etag, made_at, response) or response

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "body"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "body": gzip.decompress(state["compressed"])})


def cached_page(
    *params: str,
    browses: bool = False,
    tells_stock: bool = True,
) -> Callable[[Callable[Concatenate[PageRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Cache a view's page for visitors when its query has none but these parameters; else it is a personal page.

    Name only parameters with few values: every combination is a page that somebody can have us cache. A page that only
    `browses` the catalog may be read from a replica. One that tells no stock, and counts nothing by it, stays when that
    changes.
    """

    def decorate(view: Callable[Concatenate[PageRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        personal = personal_page(view)

        @wraps(view)
        def handler(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not _may_be_cached(request, params):
                return personal(request, *args, **kwargs)
            asked = urlencode(sorted(request.GET.dict().items()))
            key = cache_key("page", request.path, asked, get_language(), above(request).key)
            # The version is asked for before the page is made: a change in the meantime makes the page an old one.
            version, page = look_up(key, tells_stock=tells_stock)
            if page is None:

                def make() -> HttpResponseBase:
                    return view(cast(PageRequest, request), *args, **kwargs)

                with one_maker(key):
                    page = cached(key, version)  # another may have made it meanwhile
                    if page is None:
                        response = read_at(version, make) if browses else make()
                        if not _is_for_everybody(request, response):
                            return personal_page(lambda _request: response)(request)
                        page = CachedPage.of(cast(HttpResponse, response))
                        store(key, version, page)
            return cast(CachedPage, page).answer(request)

        return handler

    return decorate


def _may_be_cached(request: HttpRequest, params: tuple[str, ...]) -> bool:
    if request.method != "GET" or settings.PAGE_CACHE_SECONDS <= 0:
        return False
    if settings.SESSION_COOKIE_NAME in request.COOKIES or CookieStorage.cookie_name in request.COOKIES:
        return False
    if "HX-Request" in request.headers or "Authorization" in request.headers:
        return False
    return set(request.GET) <= set(params) and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY


def _is_for_everybody(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the page was made without anything of this request's own: the last line of defence, not the first."""
    token = "CSRF_COOKIE_NEEDS_UPDATE" in request.META
    nonce = getattr(request, "_csp_nonce", None) is not None
    return (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and not (token or nonce or response.cookies or request.session.modified)
    )
