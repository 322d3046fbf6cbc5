"""Where somebody is signed in, and ending that."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest

from accounts.addresses import network_of
from accounts.models import User
from accounts.security.devices import device_in

MOST_SESSIONS = 50


@dataclass(frozen=True)
class Place:
    """One session, as its owner sees it."""

    pk: int
    device: str
    address: str
    network: str
    since: datetime
    last_seen_at: datetime
    is_current: bool


def places_of(request: HttpRequest) -> list[Place]:
    """Return where the customer is signed in, this browser first, then those seen last."""
    if not UserSession.objects.filter(session_key=request.session.session_key).exists():
        UserSession.objects.create_from_request(request)  # a session older than the list of them
    here = request.session.session_key
    places = [
        Place(
            pk=session.pk,
            device=device_in(session.user_agent),
            address=session.ip,
            network=network_of(session.ip),
            since=session.created_at,
            last_seen_at=session.last_seen_at,
            is_current=session.session_key == here,
        )
        for session in UserSession.objects.purge_and_list(request.user)
    ]
    return sorted(places, key=lambda place: (place.is_current, place.last_seen_at), reverse=True)


def end_oldest_sessions(user: User) -> None:
    """Leave room for a new session: a program that signs in every minute must not pile them up for ever."""
    for session in UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk")[MOST_SESSIONS - 1 :]:
        session.end()


def end_session(user: User, session_id: int) -> bool:
    """End one of the customer's sessions; return whether there was one of that number."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        return False
    session.end()
    return True


def end_all_sessions(user: User) -> None:
    """End every session of the customer, also those that no list knows; no key stops working."""
    _end(user, UserSession.objects.filter(user=user))


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """End every session of the customer but the one of this request."""
    _end(user, UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key))
    with another_session_key(request):
        update_session_auth_hash(request, user)


@contextmanager
def another_session_key(request: HttpRequest) -> Iterator[None]:
    """Keep this session in the list of the customer's, while what is inside gives it another key."""
    here = UserSession.objects.filter(session_key=request.session.session_key)
    yield
    here.update(session_key=request.session.session_key)


def _end(user: User, listed: Iterable[UserSession]) -> None:
    """End these sessions, and those that no list knows: they no longer fit the account."""
    for session in listed:
        session.end()
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])
