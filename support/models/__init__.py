"""What customers ask, what they are answered, and by whom or what."""

from support.models.answers import CannedAnswer, FirstAnswerRule, SupplierMessage
from support.models.tickets import Attachment, AttachmentContent, Message, Ticket

__all__ = [
    "Attachment",
    "AttachmentContent",
    "CannedAnswer",
    "FirstAnswerRule",
    "Message",
    "SupplierMessage",
    "Ticket",
]
