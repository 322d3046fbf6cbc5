"""The staff's side of support: the queue of tickets, a ticket, the texts staff and rules answer with."""

from support.admin import canned_answers, first_answers, tickets  # noqa: F401 - each registers its pages
