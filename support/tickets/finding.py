"""A customer's own tickets: which have news, and which have these words."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from support.models import Message, Ticket
from upstream.reading.text import line

WORDS = 10
LONGEST_NUMBER = 18
# What a customer has not said themselves.
NEWS = (Message.Kind.STAFF, Message.Kind.RULE, Message.Kind.EVENT)


def tickets_of(user: User) -> QuerySet[Ticket]:
    """Return the customer's tickets, the last changed first, each with `unread`: whether something new was said."""
    unseen = Message.objects.filter(ticket=OuterRef("pk"), kind__in=NEWS, created_at__gte=OuterRef("seen_at"))
    own = Ticket.objects.filter(user=user).annotate(unread=Exists(unseen))
    return own.select_related("order", "top_up").order_by("-changed_at", "-pk")


def unread_tickets(user: User) -> int:
    """Return in how many tickets something was said that the customer has not seen."""
    unseen = Message.objects.filter(ticket__user=user, kind__in=NEWS, created_at__gte=F("ticket__seen_at"))
    return unseen.values("ticket").distinct().count()


def with_words(tickets: QuerySet[Ticket], words: str) -> QuerySet[Ticket]:
    """Return those that have every word in their subject, their order's title or what was said, or as a number.

    Internal notes are not looked at.
    """
    for word in line(words).split()[:WORDS]:
        said = Message.objects.filter(ticket=OuterRef("pk"), text__icontains=word).exclude(kind=Message.Kind.NOTE)
        matches = Q(subject__icontains=word) | Q(order__title__icontains=word) | Q(Exists(said))
        number = word.removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER:
            matches |= Q(pk=int(number)) | Q(order=int(number))
        elif word:
            matches |= Q(top_up__reference__iexact=word)
        tickets = tickets.filter(matches)
    return tickets
