"""What upstream's status words say of a number. A word may come in any dress: capitals, underscores, company."""

import re

from upstream.errors import plain_text
from upstream.reading.codes import has_digits

CANCELED_WORDS = frozenset({"cancel", "canceled", "cancelled"})
ENDING_WORDS = CANCELED_WORDS | {"expire", "expired", "refund", "refunded"}
WAITING_WORDS = ("active", "waiting", "pending", "sent", "in progress")
# How words begin that say outright that nothing has come yet: "awaiting", "WaitingForCode", "queued".
STILL_WAITING = ("active", "await", "wait", "pending", "progress", "processing", "prepar", "queue")
RECEIVED_WORDS = frozenset({"completed", "received", "finished"})
# Also said of a call that went well, whatever came of the number.
SUCCESS_WORDS = RECEIVED_WORDS | {"success", "successful", "delivered", "done", "ok"}
_DENYING = frozenset({"not", "no", "without", "never"})  # "not received", "no code"
_MISSING = frozenset({"nosms", "nocode", "nomessage"})
# What is denied in such words, and what may stand between: "not yet received", "no sms has been received".
_DENIED = RECEIVED_WORDS | {"code", "codes", "sms", "message", "messages", "ready", "arrived", "delivered", "come"}
_BETWEEN = frozenset({"yet", "been", "has", "have", "any", "a", "the", "was", "is"})
# What may stand beside such a word without changing what it says; any other one may ("not_expired").
FILLING_WORDS = frozenset(
    (
        "status",
        "order",
        "number",
        "activation",
        "code",
        "sms",
        "message",
        "is",
        "was",
        "has",
        "been",
        "by",
        "user",
        "system",
    )
)
FORGOTTEN = "order not found"
HIDDEN = "…"
CODE_LIKE = re.compile(r"\d(?:[ -]?\d){2,}")  # no code is shorter, and no status needs that many digits


def says(word: str, meant: frozenset[str]) -> bool:
    """Whether a status says one of these words, whole, and nothing besides that could turn it around."""
    words = set(words_of(word))
    return bool(words & meant) and words <= meant | FILLING_WORDS


def words_of(text: str) -> list[str]:
    """Return the words of a status in lower case; capitals begin words, as in "WaitingForCode"."""
    return re.findall(r"\w+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower().replace("_", " "))


def is_final(word: str) -> bool:
    """Whether a number with this status has ended, or has had its code."""
    return says(word, ENDING_WORDS) or says(word, RECEIVED_WORDS) or plain_text(word) == FORGOTTEN


def without_code(word: str, code: str = "") -> str:
    """Return a status as it may be kept in the open: some suppliers write the code into it, as in "STATUS_OK:48291"."""
    told = word.replace(code, HIDDEN) if has_digits(code) else word
    return CODE_LIKE.sub(HIDDEN, told)


def waits(word: str) -> bool:
    """Whether a number with this status goes on; of a word that nobody told us about this is not so."""
    return any(part in word.lower().replace("_", " ") for part in WAITING_WORDS)


def still_waits(word: str) -> bool:
    """Whether a status says outright that no code has come, whatever stands in the place of one.

    "Code received, not confirmed" and "no_error" do not: only what comes right after a denying word is denied.
    """
    words = words_of(word)
    denied = _places_denied(words)
    if any(each in RECEIVED_WORDS and place not in denied for place, each in enumerate(words)):
        return False
    if denied or _MISSING & set(words) or (words and set(words) <= _DENYING | _BETWEEN):
        return True
    return any(each.startswith(STILL_WAITING) for each in words)


def _places_denied(words: list[str]) -> set[int]:
    denied: set[int] = set()
    denying = False
    for place, word in enumerate(words):
        if denying and word in _DENIED:
            denied.add(place)
        denying = word in _DENYING or (denying and word in _DENIED | _BETWEEN)
    return denied
