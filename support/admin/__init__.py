"""Admin pages of help: incidents and announcements."""

from support.admin import announcements, incidents

__all__ = ["announcements", "incidents"]
