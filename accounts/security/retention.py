"""What is remembered of signing in is forgotten once it can no longer matter."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from accounts.batches import delete_in_batches
from accounts.models import DenyHit, EmailChange, KnownNetwork, SupportVisit, WrongTry
from accounts.security.wrong_tries import LONGEST_WINDOW, REMEMBERED

# Longer than any undoing may take: support looks things up here.
CHANGES_KEPT = timedelta(days=90)
# The customer reads of them; on the trail they stay.
VISITS_KEPT = timedelta(days=365)
# What was met is counted at the entry for ever; who met it is told apart for so long.
DENIALS_KEPT = timedelta(days=180)


def clean_wrong_tries(*, now: datetime) -> int:
    """Delete wrong tries that no limit counts any more; return how many."""
    return delete_in_batches(WrongTry.objects.filter(at__lt=now - LONGEST_WINDOW).order_by("at"))


def clean_known_networks(*, now: datetime) -> int:
    """Forget networks nobody has signed in from for long; return how many."""
    return delete_in_batches(KnownNetwork.objects.filter(last_at__lt=now - REMEMBERED).order_by("last_at"))


def clean_email_changes(*, now: datetime) -> int:
    """Forget changes of addresses; return how many."""
    return delete_in_batches(EmailChange.objects.filter(changed_at__lt=now - CHANGES_KEPT).order_by("pk"))


def clean_support_visits(*, now: datetime) -> int:
    """Forget visits by support; return how many."""
    return delete_in_batches(SupportVisit.objects.filter(began_at__lt=now - VISITS_KEPT).order_by("began_at"))


def clean_user_sessions(*, now: datetime) -> int:
    """Delete what is known of sessions that have ended; return how many."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gte=now)
    return delete_in_batches(UserSession.objects.filter(~Exists(alive)).order_by("pk"))


def clean_deny_hits(*, now: datetime) -> int:
    """Forget who met an entry of a deny list; return how many."""
    return delete_in_batches(DenyHit.objects.filter(at__lt=now - DENIALS_KEPT).order_by("at"))
