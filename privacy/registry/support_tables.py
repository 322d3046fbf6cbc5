"""What customers asked and were answered: counts stay, words and files go."""

from django.db.models import Q

from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Table

SUPPORT_TABLES = (
    Table(
        "support.AttachmentContent",
        LeftOut("the files themselves, which their sender has; each can be downloaded on the page of its question"),
        Deleted(),
        owner="attachment__message__ticket__user",
    ),
    Table(
        "support.Attachment",
        Export(
            "help_files",
            ("ticket=message__ticket_id", "created_at", "name", "kind", "size", "deleted_at"),
            # Notes are the staff's own.
            only=~Q(message__kind="note"),
        ),
        Emptied({"name": ""}, "that there was a file, of which kind and size"),
        owner="message__ticket__user",
    ),
    Table(
        "support.SupplierMessage",
        LeftOut("what we wrote to those we buy from; of the customer it says what the order says"),
        Deleted(),
        owner="ticket__user",
        others=("sent_by",),
    ),
    Table(
        "support.Message",
        Export("help_messages", ("ticket_id", "created_at", "kind", "text"), only=~Q(kind="note")),
        Emptied({"text": "", "key": ""}, "how often and how fast was answered, and by which rule"),
        owner="ticket__user",
        others=("author",),
    ),
    Table(
        "support.Ticket",
        Export(
            "help_tickets",
            (
                *("id", "created_at", "changed_at", "reason", "subject", "state", "order_id"),
                *("payment=top_up__reference", "closed_at", "rating", "rating_text", "rated_at"),
            ),
        ),
        # Nobody waits for an answer any more.
        Emptied(
            {"subject": "", "rating_text": "", "state": "closed", "waiting_since": None, "comes_back_at": None},
            "what was asked about which order, how fast it was answered, and whether that helped",
        ),
        owner="user",
        others=("order", "top_up", "request", "assignee", "closed_by"),
    ),
)
