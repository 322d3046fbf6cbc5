"""Secrets of webhooks, and the signature by which a receiver knows that a message is ours and new.

`X-Webhook-Signature: t=<unix seconds>,v1=<hex>` where v1 is the HMAC-SHA256 of "<t>.<body>" under the secret. For a day
after the secret was changed there are two v1, the new one first.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from accounts.encryption import decrypt
from api.models import Webhook

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a secret of 256 random bits, as a text that says what it is."""
    return PREFIX + secrets.token_urlsafe(32)


def secrets_of(webhook: Webhook, now: datetime) -> list[str]:
    """Return the secrets that sign now, newest first. Raises CannotDecrypt."""
    encrypted = [webhook.secret_encrypted]
    if webhook.old_secret_encrypted and webhook.old_secret_until and now < webhook.old_secret_until:
        encrypted.append(webhook.old_secret_encrypted)
    return [decrypt(text) for text in encrypted]


def signature(body: bytes, with_secrets: Sequence[str], now: datetime) -> str:
    """Return the header's value for this body, sent now."""
    moment = int(now.timestamp())
    signed = f"{moment}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in with_secrets]
    return ",".join([f"t={moment}", *(f"v1={mark}" for mark in marks)])
