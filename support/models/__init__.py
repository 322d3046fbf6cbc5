"""What customers ask, what they are answered, and by whom or what; and the pages that answer before."""

from support.models.announcements import Announcement, AnnouncementDismissal
from support.models.answers import CannedAnswer, FirstAnswerRule, SupplierMessage
from support.models.documents import Document, DocumentVersion, TermsAcceptance
from support.models.status import Health, Incident, IncidentUpdate, MeasuredPart, Part, PartDay
from support.models.tickets import Attachment, AttachmentContent, Message, Ticket

__all__ = [
    "Announcement",
    "AnnouncementDismissal",
    "Attachment",
    "AttachmentContent",
    "CannedAnswer",
    "Document",
    "DocumentVersion",
    "FirstAnswerRule",
    "Health",
    "Incident",
    "IncidentUpdate",
    "MeasuredPart",
    "Message",
    "Part",
    "PartDay",
    "SupplierMessage",
    "TermsAcceptance",
    "Ticket",
]
