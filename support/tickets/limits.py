"""How much one customer may write: what a person has to say fits in well, what a program sends does not."""

from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from support.models import Attachment, Message, Ticket
from support.tickets.refusals import TicketRefused

LONGEST_TEXT = 5_000
TICKETS_AN_HOUR = 10
MESSAGES_A_DAY = 60
BYTES_A_DAY = 30 * 1024 * 1024
# Messages that orders caused, by a request or a report: those have limits of their own.
CAUSED_BY_ORDERS = "orders:"


def lock_customer(user: User) -> None:
    """Let nobody else write as this customer until the transaction ends: of two at once the second counts the first."""
    # NO KEY: rows that refer to the customer are written meanwhile, by whoever sells them something.
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk").first()


def check_new_ticket(user: User, *, now: datetime) -> None:
    """Raise TicketRefused where a customer has opened as many tickets within the hour as we take."""
    lately = Ticket.objects.filter(user=user, created_at__gt=now - timedelta(hours=1), request=None)
    asked = lately.exclude(messages__key__startswith=CAUSED_BY_ORDERS)
    if asked.order_by().count() >= TICKETS_AN_HOUR:
        raise TicketRefused(
            _("You have sent %(count)d questions within an hour. Please add to one of them, or come back later.")
            % {"count": TICKETS_AN_HOUR}
        )


def check_day(user: User, new_bytes: int, *, now: datetime) -> None:
    """Raise TicketRefused where a customer has written, or attached, as much within a day as we take."""
    day = now - timedelta(days=1)
    said = Message.objects.filter(author=user, kind=Message.Kind.CUSTOMER, created_at__gt=day)
    if said.exclude(key__startswith=CAUSED_BY_ORDERS).order_by().count() >= MESSAGES_A_DAY:
        raise TicketRefused(
            _("You have sent %(count)d messages within a day. Please continue tomorrow.") % {"count": MESSAGES_A_DAY}
        )
    if not new_bytes:
        return
    files = Attachment.objects.filter(
        message__author=user, message__kind=Message.Kind.CUSTOMER, created_at__gt=day
    ).order_by()
    if (files.aggregate(bytes=Sum("size"))["bytes"] or 0) + new_bytes > BYTES_A_DAY:
        raise TicketRefused(_("You have attached 30 MB within a day. Please send more files tomorrow."), "files")
