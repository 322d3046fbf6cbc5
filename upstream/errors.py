"""What can go wrong with a call upstream, told apart by what we may do next.

    UpstreamError
      Refused          upstream said no, in words; one class per documented text
      NotPlaced        a purchase of which surely nothing reached upstream: it may be sent again
      Throttled        too many requests (HTTP 429): nothing was done, later is fine
      OutcomeUnknown   a purchase that may have been placed: never sent again without proof
      Unavailable      a read failed: nothing is known, nothing was changed
        Withheld       no call was made, because upstream is down or our own limits left no room

No text here ever holds the API key, and none carries another exception as its cause: those of `requests` hold the
request, and with it the key.
"""

from upstream.reading.text import comparable

LONGEST_PLAIN_TEXT = 900  # what the column of a listed refusal holds
UNREADABLE = "unreadable answer"  # in the text of every error about one


class UpstreamError(Exception):
    """Anything a call upstream can raise. `http_status` is None when no answer came."""

    def __init__(self, text: str, http_status: int | None = None) -> None:
        super().__init__(text, http_status)
        self.text = text
        self.http_status = http_status

    def __str__(self) -> str:
        return self.text


class Refused(UpstreamError):
    """Upstream answered `{"error": text}`. `text` is upstream's own, fit for an admin, not for a customer.

    For a purchase, only the subclasses are certain refusals. A plain `Refused` means that the text is not in the
    document: whether it is on the admin's list of refusals is for the caller to find out.
    """


class InvalidApiKey(Refused):
    """Our key is not, or no longer, accepted."""


class InvalidAction(Refused):
    """Upstream does not know the action: a contract drift or a wrong URL."""


class ServiceIdRequired(Refused):
    """The call named no service."""


class InsufficientUpstreamBalance(Refused):
    """The shop's own account upstream does not cover the order."""


class OrderNotFound(Refused):
    """No order of ours has this id."""


class ServiceNotFound(Refused):
    """The service is gone."""


class NotPlaced(UpstreamError):
    """A purchase never left this machine: the connection was refused, the name not found, the handshake failed."""


class Throttled(UpstreamError):
    """Upstream asks for fewer requests. `retry_after_seconds` is None when it did not say when to come back."""

    def __init__(self, text: str, http_status: int | None = None, retry_after_seconds: float | None = None) -> None:
        super().__init__(text, http_status)
        self.retry_after_seconds = retry_after_seconds


class OutcomeUnknown(UpstreamError):
    """A purchase was perhaps placed: time-out, reset, 5xx (even with an error text), unreadable answer, redirect."""


class Unavailable(UpstreamError):
    """A read failed: no connection, time-out, 5xx, or an answer that cannot be read.

    `unreadable` tells the last of these: upstream works, but does not say what its document promises.
    """

    unreadable = False


class Withheld(Unavailable):
    """No call was made: upstream does not answer at the moment, or our own limits left no room in time."""


class UpstreamNotConfigured(Unavailable):
    """UPSTREAM_URL or UPSTREAM_KEY is empty or unusable; no call was made."""


_DOCUMENTED: dict[str, type[Refused]] = {
    "invalid api key": InvalidApiKey,
    "invalid action": InvalidAction,
    "service id is required": ServiceIdRequired,
    "insufficient balance": InsufficientUpstreamBalance,
    "order not found": OrderNotFound,
    "service not found": ServiceNotFound,
}


def plain_text(text: str) -> str:
    """Return an error text as all lists of them know it: what of it is compared, without a last full stop.

    Only what looks alike is alike: what is said besides makes it another text.
    """
    return comparable(text).removesuffix(".").rstrip()[:LONGEST_PLAIN_TEXT]


def refusal(text: str, http_status: int | None = None) -> Refused:
    """Return the error for upstream's `text`: the documented class, or a plain `Refused` that keeps the text.

    The whole text has to match, as `plain_text` reads it.
    Source: HstockPlus API document, "Error responses".
    """
    kind = _DOCUMENTED.get(plain_text(text), Refused)
    return kind(text, http_status)
