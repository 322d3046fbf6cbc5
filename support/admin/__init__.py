"""The staff's side of the help."""

from support.admin import acceptances, announcements, documents, incidents

__all__ = ["acceptances", "announcements", "documents", "incidents"]
