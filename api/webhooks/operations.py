"""Everything that changes a webhook or a delivery, other than sending."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.batches import delete_in_batches
from accounts.encryption import (
    CannotDecrypt,
    decrypt,
    encrypt,
    reencrypt_column,
)
from accounts.models import User
from api.models import Webhook, WebhookDelivery
from api.preferences import MAX_WEBHOOKS
from api.webhooks.addresses import target_of
from api.webhooks.events import TEST, wake_sender
from api.webhooks.signing import new_secret
from notifications.kinds import API
from notifications.outbox import ASKED_FOR, tell_customer
from orders.models import Kind
from preferences.keeping import CODES_KEPT, WEBHOOKS_KEPT

BOTH_SIGN = timedelta(hours=24)
NOTHING_FOR = timedelta(days=3)
NOTHING_GOT_THROUGH = "nothing got through for three days"
BY_THE_CUSTOMER = "by the customer"
ADDRESS_PUT_BACK = "the old email address was put back"
ROWS_AT_ONCE = 1000
TESTS_PERIOD, MAX_TESTS = timedelta(hours=1), 10  # of one customer


class TooManyWebhooks(Exception):
    """The customer has API_MAX_WEBHOOKS already. Nothing has changed."""


class TooManyTests(Exception):
    """The customer has sent MAX_TESTS within TESTS_PERIOD. Nothing has been sent."""


def add_webhook(
    *, user: User, url: str, name: str = "", wants_orders: bool = True, wants_numbers: bool = True
) -> tuple[Webhook, str]:
    """Tell this address of the customer's changes from now on; return the webhook and its secret.

    Raises NotAllowed for an address that none may have, and TooManyWebhooks.
    """
    host = host_of(url)
    secret = new_secret()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two tabs, one limit
        if user.webhooks.count() >= MAX_WEBHOOKS.value:
            raise TooManyWebhooks
        webhook = Webhook.objects.create(
            user=user,
            name=name,
            url=url,
            host=host,
            secret_encrypted=encrypt(secret),
            wants_orders=wants_orders,
            wants_numbers=wants_numbers,
        )
    return webhook, secret


def edit_webhook(webhook: Webhook, *, url: str, name: str, wants_orders: bool, wants_numbers: bool) -> None:
    """Change where and of what it tells; what waits goes to the new address, which has not failed yet.

    Raises NotAllowed.
    """
    host = host_of(url)
    Webhook.objects.filter(pk=webhook.pk).exclude(url=url).update(failing_since=None)
    Webhook.objects.filter(pk=webhook.pk).update(
        url=url, host=host, name=name, wants_orders=wants_orders, wants_numbers=wants_numbers
    )


def host_of(url: str) -> str:
    """Return the host and port that share two places among all webhooks. Raises NotAllowed."""
    target = target_of(url)
    return f"{target.host.lower()}:{target.port}"[:300]


def rotate_secret(webhook: Webhook, *, now: datetime | None = None) -> str:
    """Give it a new secret and return it; the one before signs as well for a day."""
    now, secret = now or timezone.now(), new_secret()
    with transaction.atomic():
        row = Webhook.objects.select_for_update().get(pk=webhook.pk)
        Webhook.objects.filter(pk=row.pk).update(
            secret_encrypted=encrypt(secret),
            old_secret_encrypted=row.secret_encrypted,
            old_secret_until=now + BOTH_SIGN,
        )
    return secret


def secret_of(webhook: Webhook) -> str:
    """Return its secret for the owner's eyes; nothing where no key of ours opens it any more."""
    try:
        return decrypt(webhook.secret_encrypted)
    except CannotDecrypt:
        return ""


def delete_webhook(webhook: Webhook) -> None:
    """Delete it with its log. Changes that are being written keep its row until they are; later ones miss it."""
    with transaction.atomic():
        rows = Webhook.objects.select_for_update().filter(pk=webhook.pk)
        if rows.first() is not None:
            WebhookDelivery.objects.filter(webhook_id=webhook.pk).delete()
            rows.delete()


def switch_on(webhook: Webhook) -> None:
    """Tell it of changes again, from now on; what it missed can be replayed as far as it is in the log."""
    Webhook.objects.filter(pk=webhook.pk).update(disabled_at=None, disabled_because="", failing_since=None)


def switch_off(webhook_id: int, *, because: str, now: datetime, unless: Q | None = None) -> bool:
    """Tell it of nothing more, and give up what waits; return whether it was on and not `unless`."""
    live = Webhook.objects.filter(pk=webhook_id, disabled_at=None)
    if unless is not None:
        live = live.exclude(unless)
    with transaction.atomic():
        if not live.update(disabled_at=now, disabled_because=because):
            return False
        waiting = WebhookDelivery.objects.filter(webhook_id=webhook_id, next_attempt_at__isnull=False)
        waiting.update(next_attempt_at=None, given_up_at=now)
    return True


def switch_off_all_webhooks(user: User, since: datetime) -> None:
    """Tell none of the customer's webhooks anything more: a thief may have made one, or changed where one leads."""
    for webhook_id in user.webhooks.filter(disabled_at=None).values_list("pk", flat=True):
        switch_off(webhook_id, because=ADDRESS_PUT_BACK, now=timezone.now())


def switch_off_failing(webhook_id: int, *, now: datetime) -> bool:
    """Switch it off if nothing got through for three days, and write to its customer."""
    still_fine = Q(failing_since=None) | Q(failing_since__gt=now - NOTHING_FOR)
    if Webhook.objects.filter(still_fine, pk=webhook_id).exists():
        return False
    with transaction.atomic():
        if not switch_off(webhook_id, because=NOTHING_GOT_THROUGH, now=now, unless=still_fine):
            return False
        webhook = Webhook.objects.select_related("user").get(pk=webhook_id)
        with translation.override(webhook.user.mail_language):
            subject, body = words_of_failing(webhook)
        key = f"{ASKED_FOR}webhook:{webhook.pk}:{now:%Y-%m-%dT%H:%M:%S}"
        page = reverse("api:webhook", args=[webhook.pk])
        tell_customer(webhook.user, key, subject, body, now, kind=API, url=page)
    return True


def words_of_failing(webhook: Webhook) -> tuple[str, str]:
    """Return subject and text by which the customer is told that we have stopped sending."""
    body = _(
        "Nothing we sent to %(url)s got through for three days, so we have stopped sending. Once "
        "your server is answering again, switch the webhook on and send again what it missed:"
    ) % {"url": webhook.url}
    page = settings.SITE_URL + reverse("api:webhook", args=[webhook.pk])
    return _("One of your webhooks has been switched off"), f"{body}\n\n{page}"


def send_test(webhook: Webhook, *, now: datetime | None = None) -> WebhookDelivery:
    """Write a message that tells of nothing, to see it arrive. Raises TooManyTests: it is for trying, not for load."""
    moment = now or timezone.now()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=webhook.user_id)
        lately = WebhookDelivery.objects.filter(event=TEST, created_at__gt=moment - TESTS_PERIOD)
        if lately.filter(webhook__user_id=webhook.user_id).count() >= MAX_TESTS:
            raise TooManyTests(webhook.pk)
        delivery = WebhookDelivery.objects.create(
            webhook=webhook, event=TEST, created_at=moment, next_attempt_at=moment, event_id=uuid.uuid4()
        )
        wake_sender()
    return delivery


def replay(delivery: WebhookDelivery, *, now: datetime | None = None) -> bool:
    """Send it again under the same id, with all its attempts before it; False when it cannot be.

    It cannot while it is on its way, after its body was wiped, or while its webhook is off.
    """
    now = now or timezone.now()
    idle = Q(claimed_until=None) | Q(claimed_until__lt=now)
    rows = WebhookDelivery.objects.filter(idle, pk=delivery.pk, wiped_at=None, webhook__disabled_at=None)
    with transaction.atomic():
        again = rows.update(
            next_attempt_at=now, delivered_at=None, given_up_at=None, attempts=0, claim_token=None, claimed_until=None
        )
        if again:
            wake_sender()
    return bool(again)


def clean_deliveries(*, now: datetime | None = None) -> tuple[int, int]:
    """Wipe what told of numbers when their codes go, delete all later; return how many each.

    What still waits is given up with its body: a wiped code must not leave any more.
    """
    now = now or timezone.now()
    old = WebhookDelivery.objects.filter(created_at__lt=now - CODES_KEPT.value, order__kind=Kind.NUMBER, wiped_at=None)
    old.filter(next_attempt_at__isnull=False).update(next_attempt_at=None, given_up_at=now)
    # Without the claim a sender that has one in hand cannot put it back into the queue.
    wiped = old.update(body_encrypted="", wiped_at=now, claim_token=None, claimed_until=None)
    over = WebhookDelivery.objects.filter(created_at__lt=now - WEBHOOKS_KEPT.value)
    return wiped, delete_in_batches(over.order_by("created_at"))


def reencrypt_webhooks() -> int:
    """Encrypt secrets and bodies with the newest of FIELD_ENCRYPTION_KEYS; return how many. Raises CannotDecrypt."""
    secrets = reencrypt_column(Webhook.objects.all(), "secret_encrypted")
    old_secrets = reencrypt_column(Webhook.objects.all(), "old_secret_encrypted")
    return secrets + old_secrets + reencrypt_column(WebhookDelivery.objects.all(), "body_encrypted")
