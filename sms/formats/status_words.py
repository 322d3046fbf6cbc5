"""What upstream's status words say of a number. A word may come in any dress: capitals, underscores, company."""

import re

from upstream.errors import plain_text

CANCELED_WORDS = frozenset({"cancel", "canceled", "cancelled"})
ENDING_WORDS = CANCELED_WORDS | {"expire", "expired", "refund", "refunded"}
WAITING_WORDS = ("active", "waiting", "pending", "sent", "in progress")
# How words begin that say outright that nothing has come yet: "awaiting", "WaitingForCode", "queued".
STILL_WAITING = ("active", "await", "wait", "pending", "progress", "processing", "prepar", "queue")
DENYING_WORDS = frozenset({"not", "no", "yet", "without", "never"})  # "not received", "no code"
RECEIVED_WORDS = frozenset({"completed", "received", "finished"})
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


def says(word: str, meant: frozenset[str]) -> bool:
    """Whether a status says one of these words, whole, and nothing besides that could turn it around."""
    words = set(words_of(word))
    return bool(words & meant) and words <= meant | FILLING_WORDS


def words_of(text: str) -> list[str]:
    """Return the words of a status in lower case."""
    return re.findall(r"\w+", text.lower().replace("_", " "))


def is_final(word: str) -> bool:
    """Whether a number with this status has ended, or has had its code."""
    return says(word, ENDING_WORDS) or says(word, RECEIVED_WORDS) or plain_text(word) == FORGOTTEN


def waits(word: str) -> bool:
    """Whether a number with this status goes on; of a word that nobody told us about this is not so."""
    return any(part in word.lower().replace("_", " ") for part in WAITING_WORDS)


def still_waits(word: str) -> bool:
    """Whether a status says outright that no code has come, whatever stands in the place of one."""
    words = set(words_of(word))
    if words & DENYING_WORDS:
        return not words & ENDING_WORDS
    return any(each.startswith(STILL_WAITING) for each in words) and not words & RECEIVED_WORDS
