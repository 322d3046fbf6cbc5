"""What customers ask, what they are answered, and by whom or what; and the pages that answer before."""

from support.models.answers import CannedAnswer, FirstAnswerRule, SupplierMessage
from support.models.documents import Document, DocumentVersion, TermsAcceptance
from support.models.tickets import Attachment, AttachmentContent, Message, Ticket

__all__ = [
    "Attachment",
    "AttachmentContent",
    "CannedAnswer",
    "Document",
    "DocumentVersion",
    "FirstAnswerRule",
    "Message",
    "SupplierMessage",
    "TermsAcceptance",
    "Ticket",
]
