"""The customer's pages of webhooks, without script; nobody sees another's."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from api.models import Webhook, WebhookDelivery
from api.webhooks import operations
from api.webhooks.sending import send_due
from tests.api.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(client: Client, ann: User) -> Client:
    client.force_login(ann)
    return client


def page(name: str, *args: Any) -> str:
    return reverse(f"api:{name}", args=args)


def test_pages_when_a_customer_adds_one_and_tests_it_then_secret_log_and_body_are_shown(
    browser: Client, receiver: Receiver
) -> None:
    fields = {"url": receiver.url, "name": "My robot", "wants_orders": "on", "wants_numbers": "on"}
    added = browser.post(page("webhooks"), fields, follow=True)
    row = Webhook.objects.get()
    assert operations.secret_of(row) in added.content.decode()
    assert row.host == f"127.0.0.1:{receiver.port}"

    browser.post(page("webhook_test", row.pk))
    send_due(seconds=10)
    log = browser.get(page("webhook", row.pk)).content.decode()
    [delivery] = WebhookDelivery.objects.all()
    shown = browser.get(page("webhook_delivery", delivery.pk)).content.decode()

    assert "Delivered" in log
    assert str(delivery.event_id) in shown
    assert "This is a test." in shown
    assert "My robot" in browser.get(page("webhooks")).content.decode()
    assert page("webhooks") in browser.get(reverse("account")).content.decode()

    browser.post(page("webhook_replay", delivery.pk))
    send_due(seconds=10)
    first, second = receiver.received
    assert (first.headers["x-webhook-id"], first.body) == (second.headers["x-webhook-id"], second.body)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"url": "https://127.0.0.1/"}, "not on the public internet"),
        ({"url": "http://example.com/"}, "begin with https"),
        ({"url": "nonsense"}, "valid URL"),
        ({"url": ""}, "required"),
        ({"wants_orders": ""}, "at least one kind"),
    ],
)
def test_webhooks_when_the_form_is_wrong_then_it_says_so_and_nothing_is_added(
    browser: Client, fields: dict[str, str], error: str, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_HTTP = False
    answer = browser.post(page("webhooks"), {"url": "https://example.com/", "wants_orders": "on", **fields})

    assert error in answer.content.decode()
    assert not Webhook.objects.exists()


def test_webhooks_when_there_are_as_many_as_allowed_then_no_more(browser: Client, settings: Any) -> None:
    settings.API_MAX_WEBHOOKS = 1
    for _each in range(2):
        answer = browser.post(page("webhooks"), {"url": "https://example.com/", "wants_orders": "on"})

    assert "the maximum number of webhooks" in answer.content.decode()
    assert Webhook.objects.count() == 1


def test_webhook_when_it_is_edited_rotated_switched_and_deleted_then_the_pages_do_it(
    browser: Client, hook: Webhook
) -> None:
    before = operations.secret_of(hook)
    edited = {"url": "https://example.com/new", "name": "", "wants_numbers": "on"}
    browser.post(page("webhook", hook.pk), edited)
    browser.post(page("webhook_rotate", hook.pk))
    hook.refresh_from_db()
    assert (hook.url, hook.host, hook.wants_orders) == ("https://example.com/new", "example.com:443", False)
    assert operations.secret_of(hook) != before

    refused = browser.post(page("webhook", hook.pk), {**edited, "url": "https://10.0.0.1/"}).content.decode()
    assert "not on the public internet" in refused

    browser.post(page("webhook_switch", hook.pk), {"to": "off"})
    assert Webhook.objects.get().disabled_because == operations.BY_THE_CUSTOMER
    browser.post(page("webhook_test", hook.pk))
    assert not WebhookDelivery.objects.exists()
    browser.post(page("webhook_switch", hook.pk), {"to": "on"})
    assert Webhook.objects.get().disabled_at is None

    browser.post(page("webhook_delete", hook.pk))
    assert not Webhook.objects.exists()


def test_pages_when_the_webhook_is_anothers_then_they_are_not_found(
    client: Client, ben: User, hook: Webhook, receiver: Receiver
) -> None:
    row = operations.send_test(hook)
    assert client.get(page("webhooks")).status_code == 302
    client.force_login(ben)

    for name, key in (("webhook", hook.pk), ("webhook_delivery", row.pk)):
        assert client.get(page(name, key)).status_code == 404
    for name in ("webhook_rotate", "webhook_test", "webhook_switch", "webhook_delete"):
        assert client.post(page(name, hook.pk)).status_code == 404
    assert client.post(page("webhook_replay", row.pk)).status_code == 404
    assert receiver.url not in client.get(page("webhooks")).content.decode()


def test_delivery_when_its_body_was_wiped_then_it_says_so_and_cannot_be_replayed(
    browser: Client, hook: Webhook
) -> None:
    row = operations.send_test(hook)
    WebhookDelivery.objects.update(body_encrypted="", wiped_at=timezone.now())

    shown = browser.get(page("webhook_delivery", row.pk)).content.decode()
    browser.post(page("webhook_replay", row.pk))

    assert "has been deleted" in shown
    assert page("webhook_replay", row.pk) not in shown


def test_admin_when_staff_looks_then_neither_secret_nor_body_is_there(
    client: Client, sam: User, hook: Webhook, receiver: Receiver
) -> None:
    row = operations.send_test(hook)
    send_due(seconds=10)
    client.force_login(sam)
    pages = [
        client.get(reverse("admin:api_webhook_change", args=[hook.pk])).content.decode(),
        client.get(reverse("admin:api_webhookdelivery_change", args=[row.pk])).content.decode(),
    ]

    for text in pages:
        assert "This is a test" not in text
        assert operations.secret_of(hook) not in text
        assert Webhook.objects.get().secret_encrypted not in text
        assert WebhookDelivery.objects.get().body_encrypted not in text
