"""What the bell holds: the news of the last weeks, read and unread. A customer's own rows, found by their indexes."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from notifications.models import Notice

SHOWN_FOR = timedelta(weeks=6)
MOST = 100  # who has more unread news reads "99+"


def news_of(user: User, *, now: datetime) -> QuerySet[Notice]:
    """Return the customer's news, the newest first."""
    return Notice.objects.filter(user=user, in_bell=True, created_at__gt=now - SHOWN_FOR).order_by("-id")


def count_unread(user: User, *, now: datetime) -> int:
    """Return how many news are unread, at most MOST; one statement, however many there are."""
    unread = Notice.objects.filter(user=user, in_bell=True, read_at=None, created_at__gt=now - SHOWN_FOR)
    return len(unread.order_by().values_list("pk", flat=True)[:MOST])


def read(user: User, notice_id: int, *, now: datetime) -> Notice | None:
    """Mark one of the customer's news as read and return it; None where it is not theirs, or gone.

    What else is unread about the same page is read with it: it all is there.
    """
    notice = news_of(user, now=now).filter(pk=notice_id).first()
    if notice is None:
        return None
    if notice.url:
        read_about(user, notice.url, now=now)
    _unread(user).filter(pk=notice_id).update(read_at=now)
    return notice


def read_about(user: User, url: str, *, now: datetime) -> int:
    """Mark as read what leads to a page the customer has opened; return how many."""
    return _unread(user).filter(url=url).update(read_at=now)


def read_all(user: User, *, up_to: int, now: datetime) -> int:
    """Mark as read what the customer had before them: up to the newest of the page they read; return how many."""
    return _unread(user).filter(pk__lte=up_to).update(read_at=now)


def _unread(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, in_bell=True, read_at=None)
