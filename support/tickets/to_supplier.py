"""Messages to the supplier: prepared from what is known, copied by staff, marked as sent."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from support.first_answers.asked import Asked
from support.first_answers.supplier_text import supplier_text
from support.models import Message, SupplierMessage
from support.tickets.messages import locked, say
from support.tickets.refusals import TicketRefused


def prepare_supplier_message(ticket_id: int, *, actor: User, now: datetime) -> SupplierMessage:
    """Write the message for the ticket's order as things stand, and return it; one that waits to be sent is enough.

    Raises Ticket.DoesNotExist; TicketRefused where the supplier knows no such order, or a message waits already.
    """
    with transaction.atomic():
        ticket = locked(ticket_id)
        text = supplier_text(Asked(ticket, now))
        if not text:
            raise TicketRefused(_("The supplier has no order of this ticket."))
        if ticket.supplier_messages.filter(sent_at=None).exists():
            raise TicketRefused(_("There is a message that hasn't been sent yet."))
        return SupplierMessage.objects.create(ticket=ticket, text=text, created_at=now)


def mark_sent(ticket_id: int, message_id: int, *, actor: User, now: datetime) -> SupplierMessage:
    """Note that staff has sent a message to the supplier; the ticket says who did, to staff alone.

    Raises Ticket.DoesNotExist, TicketRefused for a message that is not there, or that a colleague has marked before.
    """
    with transaction.atomic():
        ticket = locked(ticket_id)
        waiting = ticket.supplier_messages.filter(pk=message_id, sent_at=None)
        if not waiting.update(sent_at=now, sent_by=actor):
            raise TicketRefused(_("A colleague has already marked this message as sent. Nothing was changed."))
        say(ticket, Message.Kind.NOTE, _("The message to the supplier has been sent."), author=actor, now=now)
        return SupplierMessage.objects.get(pk=message_id)
