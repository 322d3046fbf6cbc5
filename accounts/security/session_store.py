"""Sessions in the database, as Django has them, read by a statement that is put together and planned once.

Every page of somebody who is signed in reads one, and Django would take several times as long as the database does. And
a database that is away while one is saved is no fault of the request.
"""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.utils import timezone

from accounts.fast_queries.reads import Prepared

_COLUMNS = ("session_key", "session_data", "expire_date")
_of_key = Prepared(
    lambda: Session.objects.filter(session_key="").order_by().values_list(*_COLUMNS),
    example=("",),
)


class SessionStore(db.SessionStore):
    """Django's own, but for how a session is read, and for what is raised when it cannot be saved."""

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises UpdateError where it is gone, and OperationalError where the database is."""
        try:
            super().save(must_create)
        except UpdateError as failed:
            if isinstance(failed.__context__, OperationalError):
                raise failed.__context__ from None
            raise

    def _get_session_from_db(self) -> Any:
        """Return the row of this session, or None and no key any more where it is over or was never there."""
        # A cookie can say anything, and PostgreSQL takes no NUL in a text.
        known = self.session_key is not None and self.session_key.isascii() and self.session_key.isalnum()
        for row in _of_key.rows(self.session_key) if known else ():
            session = Session(**dict(zip(_COLUMNS, row, strict=True)))
            if session.expire_date > timezone.now():
                return session
        self._session_key = None
        return None
