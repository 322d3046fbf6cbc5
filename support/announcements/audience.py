"""For whom an announcement is. Only what lasts now and is for some costs a question, and that once a request."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import ApiKey, User
from support.models import Announcement

Audience = Announcement.Audience


class Reader:
    """Somebody who may be told something: a visitor (None) or a customer. Each question is asked at most once."""

    def __init__(self, user: User | None, *, now: datetime) -> None:
        self.user = user
        self._now = now
        self._is_reseller: bool | None = None

    @property
    def is_reseller(self) -> bool:
        """Whether they have an API key that opens anything, or are in a group of resellers."""
        if self._is_reseller is None:
            group = self.user.group if self.user is not None else None
            self._is_reseller = self.user is not None and (
                (group is not None and group.is_reseller) or self.user.api_keys.alive(self._now).exists()
            )
        return self._is_reseller

    def may_read(self, announcement: Announcement) -> bool:
        """Whether it is for them."""
        match announcement.audience:
            case Audience.ALL:
                return True
            case Audience.CUSTOMERS:
                return self.user is not None
            case Audience.RESELLERS:
                return self.is_reseller
            case Audience.GROUP:
                return self.user is not None and self.user.group_id == announcement.group_id
        return False


def begun_for(reader: Reader, *, now: datetime) -> QuerySet[Announcement]:
    """Return everything they were ever told, the newest first; what is over among it."""
    mine = Q(audience=Audience.ALL)
    if reader.user is not None:
        mine |= Q(audience=Audience.CUSTOMERS)
        if reader.user.group_id is not None:
            mine |= Q(audience=Audience.GROUP, group=reader.user.group_id)
        if reader.is_reseller:
            mine |= Q(audience=Audience.RESELLERS)
    return Announcement.objects.filter(mine, starts_at__lte=now).order_by("-starts_at", "-pk")


def readers_of(announcement: Announcement, *, now: datetime) -> int | None:
    """Return for how many customers it is now; None for one that visitors see as well."""
    everybody = User.objects.filter(is_active=True)
    match announcement.audience:
        case Audience.CUSTOMERS:
            return everybody.count()
        case Audience.RESELLERS:
            with_key = ApiKey.objects.alive(now).values("user")
            return everybody.filter(Q(group__is_reseller=True) | Q(pk__in=with_key)).count()
        case Audience.GROUP:
            return everybody.filter(group=announcement.group_id).count()
    return None
