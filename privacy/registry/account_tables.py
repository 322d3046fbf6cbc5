"""The account itself, how it is signed in to, its keys, and what it was told."""

from typing import Any

from accounts.models import User
from accounts.security.wrong_tries import digest_of
from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Stays, Table


def addresses_of(user: User) -> list[str]:
    """Every address that is or was the account's, as far as we still know."""
    from allauth.account.models import EmailAddress

    from accounts.models import EmailChange

    known = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    for pair in EmailChange.objects.filter(user=user).values_list("old_email", "new_email"):
        known.update(pair)
    return sorted(known)


def _letters(user: User) -> Any:
    from notifications.models import Letter

    return Letter.objects.filter(address__in=addresses_of(user))


def _wrong_tries(user: User) -> Any:
    from accounts.models import WrongTry

    accounts = [*addresses_of(user), f"customer {user.pk}"]
    return WrongTry.objects.filter(account__in=[digest_of(account) for account in accounts])


def _trail(user: User) -> Any:
    from accounts.models import TrailEntry

    return TrailEntry.objects.filter(actor_id=user.pk)


def _staff_log(user: User) -> Any:
    """What staff did with the account's own page and with its addresses, which these rows name."""
    from django.contrib.admin.models import LogEntry
    from django.db.models import Q

    itself = Q(content_type__app_label="accounts", content_type__model="user", object_id=str(user.pk))
    return LogEntry.objects.filter(itself | Q(object_repr__in=addresses_of(user)))


def _sessions(user: User) -> Any:
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session

    keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
    return Session.objects.filter(session_key__in=list(keys))


ACCOUNT_TABLES = (
    # First what is found by the account's addresses: they go after it.
    Table(
        "accounts.WrongTry",
        LeftOut("counts and digests, kept for an hour, that say nothing of the customer"),
        Deleted(),
        rows=_wrong_tries,
        at_once=True,
    ),
    Table(
        "notifications.Letter",
        LeftOut("waits for seconds until it has been mailed, and is gone then"),
        Deleted(),
        rows=_letters,
        at_once=True,
    ),
    Table(
        "admin.LogEntry",
        LeftOut("notes of the staff's own work; what was changed shows in the account itself"),
        Emptied({"object_repr": "", "change_message": ""}, "which member of staff worked on which number, and when"),
        rows=_staff_log,
        others=("user",),
        at_once=True,
    ),
    Table(
        "account.EmailConfirmation",
        LeftOut("keys that confirm an address; the addresses themselves are exported"),
        Deleted(),
        owner="email_address__user",
        at_once=True,
    ),
    Table(
        "account.EmailAddress",
        Export("email_addresses", ("email", "verified", "primary")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.EmailChange",
        Export("email_changes", ("old_email", "new_email", "changed_at", "undone_at")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.SupportVisit",
        Export("visits_by_support", ("began_at", "ended_at", "reason")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.AccountBlock",
        Export("blocks", ("begun_at", "ended_at", "told")),
        Emptied({"reason": "", "told": ""}, "that an account was blocked, when, and by whom of the staff"),
        owner="user",
        others=("begun_by", "ended_by"),
        at_once=True,
    ),
    Table(
        "accounts.DenyHit",
        LeftOut("what of the shop's own lists was met: whoever reads them knows how to get around them"),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.KnownNetwork",
        Export("known_networks", ("network", "last_at")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "sessions.Session",
        LeftOut("what browsers are remembered by; where somebody is signed in is exported as sessions"),
        Deleted(),
        rows=_sessions,
        at_once=True,
    ),
    Table(
        "usersessions.UserSession",
        Export("sessions", ("created_at", "last_seen_at", "address=ip", "browser=user_agent")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "mfa.Authenticator",
        Export("second_factors", ("kind=type", "created_at", "last_used_at")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.ApiKeySpending",
        Export("api_spending", ("key=key__name", "key_id", "day", "spent_micros")),
        Deleted(),
        owner="key__user",
        at_once=True,
    ),
    Table(
        "accounts.ApiKey",
        Export(
            "api_keys",
            (
                *("id", "name", "begins_with=prefix", "created_at", "last_used_at", "last_used_from", "expires_at"),
                *("revoked_at", "may_read", "may_order", "may_sms", "may_see_secrets", "daily_limit_micros"),
                *("allowed_addresses", "calls_per_minute", "is_test"),
            ),
        ),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.User",
        Export(
            "account",
            (
                *("id", "email", "date_joined", "last_login", "language"),
                *("customer_group=group__name", "referral_code"),
            ),
        ),
        # The address is another one for every account: see `deletion/account.py`, which also takes the password.
        Emptied(
            {"group": None, "language": "", "last_login": None, "referral_code": None, "is_active": False}
            # Read by nothing any more: see accounts/models.py.
            | {"wants_mail": False, "wants_price_mail": False},
            "a number that orders and the ledger refer to, when it was opened, and whose link it came by",
        ),
        owner="pk",
        others=("referred_by", "groups", "user_permissions"),
        at_once=True,
    ),
    Table(
        "notifications.Notice",
        Export("mails", ("created_at", "kind", "sent_at", "read_at", "subject", "body")),
        Deleted(),
        owner="user",
    ),
    Table(
        "notifications.NoticeChoice",
        Export("notice_choices", ("kind", "channel", "wanted")),
        Deleted(),
        owner="user",
        at_once=True,
    ),
    Table(
        "accounts.TrailEntry",
        Export("trail", ("created_at", "action", "address", "browser=agent", "target_type", "target_id")),
        Stays(
            "nothing on the trail can be changed, or it would prove nothing. It holds what people with power did: "
            "about a customer it has the account's number, and the address as it was when staff worked on the account"
        ),
        rows=_trail,
    ),
    Table(
        "privacy.DataExport",
        Export("downloads", ("requested_at", "ready_at", "state", "rows_total", "file_bytes")),
        Deleted(),
        owner="user",
    ),
    Table(
        "privacy.AccountDeletion",
        Export("account_deletion", ("state", "requested_at", "due_at", "kept_at")),
        Emptied({"obstacle": ""}, "the proof that the deletion was asked for, and carried out"),
        owner="user",
    ),
)
