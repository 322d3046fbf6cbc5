"""Where backups go, for whom they are encrypted and how many are kept."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment

FOR_A_KEY = "`manage.py backup --new-key` makes a pair: the public part goes here, the secret one on paper"


@dataclass(frozen=True)
class Backups:
    """`to` is a folder or s3://bucket/folder, "" for none; `recipients` are age's public keys (age1…).

    `s3` is what the S3 client needs beside the bucket. `programs` is the folder with pg_dump, "" for PATH.
    """

    to: str
    recipients: tuple[str, ...]
    daily: int
    weekly: int
    monthly: int
    programs: str
    identity_file: Path | None
    s3: dict[str, str] = field(repr=False)


def backups(env: Environment) -> Backups:
    """Read the settings from the environment. Raises ImproperlyConfigured for a place without a key to lock it."""
    to, recipients = env.text("BACKUP_TO", ""), env.listing("BACKUP_RECIPIENTS", [])
    if to and not recipients:
        raise ImproperlyConfigured(f"BACKUP_TO is set, but BACKUP_RECIPIENTS is not. {FOR_A_KEY}.")
    if to.startswith("s3://") and not to.removeprefix("s3://").partition("/")[0]:
        raise ImproperlyConfigured(f"BACKUP_TO is {to!r}; it should name a bucket, like s3://bucket/folder.")
    if "://" in to and not to.startswith("s3://"):
        raise ImproperlyConfigured(f"BACKUP_TO is {to!r}; it should be a folder or s3://bucket/folder.")
    if to and not to.startswith("s3://") and not os.path.isabs(to):
        raise ImproperlyConfigured(f"BACKUP_TO is {to!r}; it should be a whole path, like /var/backups/shop.")
    for position, text in enumerate(recipients, start=1):
        try:
            pyrage.x25519.Recipient.from_str(text)
        except pyrage.RecipientError:  # it may be the secret part: the message counts instead of quoting
            raise ImproperlyConfigured(
                f"BACKUP_RECIPIENTS: number {position} is no public key of age (age1…). {FOR_A_KEY}."
            ) from None
    identity_file = env.text("BACKUP_IDENTITY_FILE", "")
    s3 = {
        "endpoint": env.url("BACKUP_S3_ENDPOINT", ""),
        "region": env.text("BACKUP_S3_REGION", "us-east-1"),
        "access_key_id": env.text("BACKUP_S3_ACCESS_KEY", ""),
        "secret_access_key": env.text("BACKUP_S3_SECRET_KEY", ""),
    }
    return Backups(
        to=to,
        recipients=tuple(recipients),
        daily=env.number("BACKUP_KEEP_DAILY", 7, minimum=1),
        weekly=env.number("BACKUP_KEEP_WEEKLY", 5),
        monthly=env.number("BACKUP_KEEP_MONTHLY", 12),
        programs=env.text("BACKUP_PROGRAMS", ""),
        identity_file=Path(identity_file) if identity_file else None,
        s3={name: value for name, value in s3.items() if value},
    )
