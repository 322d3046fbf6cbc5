"""How often somebody may be wrong. Counted in the database, so that the limits hold while Redis is away.

Passwords are counted for the account together with the network (the pair), and each for itself:

- Too many wrong ones of a pair lock the pair: whoever guesses is stopped, and only there.
- Many more for the account, from all over the world, lock it for networks it has never been signed in from. An owner
  comes in from where they usually do, whatever strangers try.
- Many from one network, for any accounts, lock the network, except for those who have signed in from it before.

An address that is nobody's is counted like any other, with the same statements.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import KnownNetwork, User, WrongTry

PAIR_LIMIT, PAIR_WINDOW = 5, timedelta(minutes=5)
ACCOUNT_LIMIT, ACCOUNT_WINDOW = 50, timedelta(hours=1)
NETWORK_LIMIT, NETWORK_WINDOW = 60, timedelta(minutes=10)
# A page asks while a code is being typed: each of its beginnings is a wrong one.
COUPON_LIMIT, COUPON_WINDOW = 60, timedelta(hours=1)
REMEMBERED = timedelta(days=180)
LONGEST_WINDOW = max(PAIR_WINDOW, ACCOUNT_WINDOW, NETWORK_WINDOW, COUPON_WINDOW)


class TooManyWrongTries(Exception):
    """Whoever this is has been wrong too often lately."""


@dataclass(frozen=True)
class Try:
    """A try that is under way and counts as a wrong one until it is taken back."""

    row_id: int

    def was_right(self) -> None:
        """Take it back."""
        WrongTry.objects.filter(pk=self.row_id).delete()


def begin_sign_in(email: str, network: str, *, now: datetime | None = None) -> Try:
    """Count a password that is about to be looked at, as a wrong one. Raises TooManyWrongTries: do not look at it."""
    now = now or timezone.now()
    account = digest_of(email)
    tried = WrongTry.objects.create(kind=WrongTry.Kind.SIGN_IN, account=account, network=network, at=now)
    of_account, of_network = Q(account=account), Q(network=network)
    lately = WrongTry.objects.filter(
        of_account | of_network, kind=WrongTry.Kind.SIGN_IN, at__gt=now - max(ACCOUNT_WINDOW, NETWORK_WINDOW)
    )
    counted = lately.aggregate(
        pair=Count("pk", filter=of_account & of_network & Q(at__gt=now - PAIR_WINDOW)),
        account=Count("pk", filter=of_account & Q(at__gt=now - ACCOUNT_WINDOW)),
        network=Count("pk", filter=of_network & Q(at__gt=now - NETWORK_WINDOW)),
    )
    known = KnownNetwork.objects.filter(
        user__emailaddress__email=email.lower(), network=network, last_at__gt=now - REMEMBERED
    ).exists()
    crowded = counted["account"] > ACCOUNT_LIMIT or (network and counted["network"] > NETWORK_LIMIT)
    if counted["pair"] > PAIR_LIMIT or (crowded and not known):
        # A try that was refused says nothing of the password, and must not make the lock longer.
        Try(tried.pk).was_right()
        raise TooManyWrongTries
    return Try(tried.pk)


def forget_wrong_sign_ins(email: str) -> None:
    """Let the account be signed in to again: its owner has just proved to be that by mail."""
    WrongTry.objects.filter(kind=WrongTry.Kind.SIGN_IN, account=digest_of(email)).delete()


def remember_network(user: User, network: str, *, now: datetime | None = None) -> None:
    """Note that the customer has signed in from this network."""
    if network:
        KnownNetwork.objects.update_or_create(user=user, network=network, defaults={"last_at": now or timezone.now()})


def check_coupon_tries(user: User, *, now: datetime) -> None:
    """Raise TooManyWrongTries when the customer has guessed at coupons too often lately."""
    wrong = WrongTry.objects.filter(
        kind=WrongTry.Kind.COUPON, account=digest_of(f"customer {user.pk}"), at__gt=now - COUPON_WINDOW
    )
    if wrong.count() >= COUPON_LIMIT:
        raise TooManyWrongTries


def count_wrong_coupon(user: User, *, now: datetime) -> None:
    """Count a code that is no coupon."""
    WrongTry.objects.create(kind=WrongTry.Kind.COUPON, account=digest_of(f"customer {user.pk}"), at=now)


def digest_of(account: str) -> str:
    """Return what an account is counted by: the table must not be a list of addresses."""
    return hashlib.sha256(account.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
