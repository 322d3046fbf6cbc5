"""The staff's side of help: the queue of tickets, texts, documents, incidents and announcements."""

from support.admin import (
    acceptances,
    announcements,
    canned_answers,
    customer,
    documents,
    first_answers,
    incidents,
    tickets,
)

__all__ = [
    "acceptances",
    "announcements",
    "canned_answers",
    "customer",
    "documents",
    "first_answers",
    "incidents",
    "tickets",
]
