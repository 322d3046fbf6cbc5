"""By which channels a customer gets which kind of news: what they chose, and where they chose nothing the default."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from accounts.models import User
from notifications.kinds import KINDS, MAIL, Kind, to_turn_off
from notifications.models import NoticeChoice

Choices = Mapping[tuple[str, str], bool]  # by kind and channel, what one customer said


def choices_of(user_ids: Iterable[int]) -> Mapping[int, Choices]:
    """Return what these customers said, by their ids; one statement, and an empty mapping for whoever said nothing."""
    found: dict[int, dict[tuple[str, str], bool]] = defaultdict(dict)
    said = NoticeChoice.objects.filter(user__in=set(user_ids))
    for user_id, kind, channel, wanted in said.values_list("user", "kind", "channel", "wanted"):
        found[user_id][kind, channel] = wanted
    return found


def is_wanted(kind: Kind, channel: str, choices: Choices) -> bool:
    """Whether news of this kind come by this channel, to somebody who chose so."""
    if not kind.can_be_turned_off:
        return channel in kind.by_default
    return choices.get((kind.name, channel), channel in kind.by_default)


def turned_off(channel: str, choices: Choices) -> list[str]:
    """Return the names of the kinds that do not come by this channel."""
    return [kind.name for kind in KINDS.values() if not is_wanted(kind, channel, choices)]


def choose(user: User, wanted: Mapping[tuple[str, str], bool]) -> None:
    """Store what a customer says, by kind and channel; whatever cannot be turned off is left alone.

    The same said twice, or at once from two tabs, is one row.
    """
    rows = [
        NoticeChoice(user=user, kind=kind, channel=channel, wanted=wants)
        for (kind, channel), wants in sorted(wanted.items())
        if kind in KINDS and KINDS[kind].can_be_turned_off
    ]
    NoticeChoice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "kind", "channel"], update_fields=["wanted"]
    )


def turn_off_mails(user: User, kinds: Iterable[str]) -> list[Kind]:
    """Send no more mails of these kinds to the customer; return which were meant that can be turned off."""
    meant = to_turn_off(kinds)
    choose(user, {(kind.name, MAIL): False for kind in meant})
    return meant


def who_wants(kind: Kind, users: QuerySet[User]) -> QuerySet[User]:
    """Return those of `users` to whom news of this kind come by any channel; what can be read before news are written.

    For kinds that come to nobody by default, so that it is one look into the choices.
    """
    if kind.by_default:
        raise ValueError(f"{kind.name} comes to everybody who has not turned it off")
    said = NoticeChoice.objects.filter(kind=kind.name, wanted=True)
    return users.filter(pk__in=said.values("user"))
