"""Whoever gets hold of the database, or of a backup of it, reads no code and no delivered goods in it."""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.encrypted_fields import as_stored
from accounts.encryption import CannotDecrypt, encrypt, looks_encrypted
from accounts.keys.api_keys import create_api_key
from api.models import WebhookDelivery
from api.webhooks.sending import send_due
from orders.fulfilment.forward import forward_order
from orders.models import Order
from sms.models import Number
from sms.operations import seal_codes
from tests.pages import HTMX, hidden, page_words
from tests.security.delivered import LINE, deliver

pytestmark = pytest.mark.django_db(transaction=True)
CODE, TEXT = "91827364", "Your zebra code is 91827364"
NEW_KEY = Fernet.generate_key().decode()
LOCKED = "can't be opened right now"
LOST = {"error": "This can't be opened right now, it is not lost"}


def stored_anywhere(*secrets):
    """The tables of the whole database in which one of these texts can be read, whatever the column."""
    found = {
        f"session of {session.pk}"
        for session in Session.objects.all()
        if any(secret in str(session.get_decoded()) for secret in secrets)
    }
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            for row in cursor.fetchall():
                text = " ".join(_plain(value) for value in row)
                found.update(table for secret in secrets if secret in text)
    assert len(tables) > 60
    return found


def _plain(value):
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


@pytest.fixture
def shop(client, ann):
    client.force_login(ann)
    return client


@pytest.fixture
def bought(shop, project, client_upstream):
    """A number that Ann has bought on its page, and that waits for its code."""

    def buy():
        page = shop.get(reverse("sms:buy", args=[project.pk]))
        form = {name: hidden(page, name) for name in ("quantity", "request_id", "shown_price_micros")}
        assert shop.post(reverse("sms:buy", args=[project.pk]), form).status_code == 302
        order = Order.objects.latest("pk")
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
        order.refresh_from_db()
        return order

    return buy


@pytest.fixture
def received(bought, hook, poll, sandbox):
    """Its code has come."""
    order = bought()
    sandbox.deliver_code(order.upstream_id, CODE, TEXT)
    poll(seconds=5)
    return order


@pytest.fixture
def call(client, ann):
    text = create_api_key(user=ann, name="seeing")[1]

    def ask(action, key=text, **params):
        return client.post("/api/v2", {"key": key, "action": action, **params}).json()

    return ask


def raw(column, order):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM sms_number WHERE order_id = %s", [order.pk])  # noqa: S608
        return cursor.fetchone()[0]


def write_raw(order, **columns):
    """What a version of the shop does that knows nothing of encrypting, or whoever damages a row."""
    with connection.cursor() as cursor:
        for column, text in columns.items():
            cursor.execute(f"UPDATE sms_number SET {column} = %s WHERE order_id = %s", [text, order.pk])  # noqa: S608


# --- Nobody but the buyer reads it ----------------------------------------------------------------------------------
def test_a_code_can_be_read_nowhere_in_the_database_and_its_buyer_has_it(shop, received, call, hook, receiver):
    send_due(seconds=10, now=timezone.now() + timedelta(minutes=5))

    for address in (reverse("sms:waiting"), reverse("sms:history"), reverse("orders:detail", args=[received.pk])):
        words = page_words(shop.get(address))
        assert (CODE in words, TEXT in words) == (True, True), address
    assert call("sms_code", order=received.pk)["sms_content"] == TEXT
    told = call("sms_status", order=received.pk)
    assert (told["code"], told["sms_content"]) == (CODE, TEXT)
    bodies = {message["event"]: message["data"] for message in (one.message for one in receiver.received)}
    assert bodies["number.code_received"]["code"] == CODE
    assert shop.get(reverse("api:webhook", args=[hook.pk])).status_code == 200
    assert stored_anywhere(CODE, "zebra") == set()
    assert looks_encrypted(raw("code", received))


def test_the_page_says_a_new_code_aloud(shop, received):
    words = page_words(shop.get(reverse("sms:waiting"), headers=HTMX))

    assert f"the code is {CODE}" in words


def test_a_code_that_a_supplier_writes_into_its_status_is_kept_nowhere_either(shop, bought, hook, poll, sandbox):
    inside, beside = bought(), bought()
    sandbox.set_order(inside.upstream_id, status=f"STATUS_OK:{CODE}")
    sandbox.set_order(beside.upstream_id, status=f"Completed: {CODE[:4]} {CODE[4:]}", code=CODE)

    poll(seconds=5)
    poll(minutes=3)
    send_due(seconds=10, now=timezone.now() + timedelta(minutes=5))

    assert stored_anywhere(CODE, f"{CODE[:4]} {CODE[4:]}") == set()
    inside.refresh_from_db()
    assert inside.upstream_word == "STATUS_OK:…"


def test_delivered_goods_can_be_read_nowhere_in_the_database_and_their_buyer_has_them(shop, ann, service, call):
    order = deliver(ann, service)

    assert LINE in str(call("status", order=order.pk))
    assert stored_anywhere(LINE, "rosa") == set()


# --- A key that is gone -----------------------------------------------------------------------------------------------
@pytest.fixture
def locked(received, settings):
    """The key that encrypted the code has been taken away too early."""
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY]
    return received


def test_a_page_whose_code_cannot_be_opened_says_so(shop, locked):
    for address in (reverse("sms:waiting"), reverse("sms:history"), reverse("orders:detail", args=[locked.pk])):
        for headers in ({}, HTMX):
            page = shop.get(address, headers=headers)
            assert page.status_code == 200
            assert LOCKED in page_words(page).replace("’", "'"), address
            assert as_stored(Number.objects.get(), "code") not in page.content.decode()


def test_a_damaged_code_is_not_shown_as_one(shop, received, call):
    write_raw(received, code="11112222")

    words = page_words(shop.get(reverse("sms:waiting"))).replace("’", "'")
    assert (LOCKED in words, "11112222" in words) == (True, False)
    assert call("sms_code", order=received.pk) == LOST


def test_the_api_answers_an_error_and_what_needs_no_code_goes_on(locked, call, ann):
    blind = create_api_key(user=ann, name="blind", may_see_secrets=False)[1]
    strict = create_api_key(user=ann, name="strict", http_errors=True)[1]

    assert call("sms_code", order=locked.pk) == LOST
    assert call("sms_status", order=locked.pk) == LOST
    assert call("sms_status", key=strict, order=locked.pk) == LOST
    assert call("sms_status", key=blind, order=locked.pk)["status"] == "code_received"


def test_a_webhook_waits_until_the_code_can_be_read_again(received, settings, receiver):
    keys, settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS, [NEW_KEY]
    now = timezone.now() + timedelta(minutes=1)

    send_due(seconds=10, now=now)
    delivery = WebhookDelivery.objects.get(event="number.code_received")
    assert (receiver.received, delivery.error) == ([], "The shop cannot read what this message says.")

    settings.FIELD_ENCRYPTION_KEYS = keys
    send_due(seconds=10, now=now + timedelta(minutes=10))
    assert CODE in [one.message["data"].get("code") for one in receiver.received]


def test_a_number_that_cannot_be_opened_stops_no_other(shop, bought, locked, poll, sandbox):
    other = bought()
    sandbox.deliver_code(other.upstream_id, "55554444", "other")

    poll(seconds=5)

    words = page_words(shop.get(reverse("sms:waiting"))).replace("’", "'")
    assert ("55554444" in words, LOCKED in words) == (True, True)
    assert Number.objects.get(order=other).code == "55554444"


def test_a_row_that_cannot_be_opened_is_saved_as_it_is(locked):
    before, number = raw("code", locked), Number.objects.get()
    number.phone = "1"
    number.save()

    assert raw("code", locked) == before
    with pytest.raises(CannotDecrypt):
        _ = number.code


# --- No query searches for one ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "lookup",
    [
        *({"code": CODE}, {"code__in": [CODE]}, {"code__startswith": "9"}, {"content__icontains": "zebra"}),
        *({"code__iexact": CODE}, {"code__gt": "1"}, {"code__regex": "."}, {"code__length": 8}, {"code__in": []}),
    ],
)
def test_a_query_that_searches_for_a_code_is_refused(lookup):
    with pytest.raises(FieldError):
        Number.objects.filter(**lookup).exists()
    with pytest.raises(FieldError):
        Number.objects.filter(~Q(**lookup)).exists()
    with pytest.raises(FieldError):
        Order.objects.filter(**{f"number__{name}": value for name, value in lookup.items()}).exists()


def test_whether_there_is_a_code_can_be_asked(received, bought):
    waiting = bought()

    assert [row.order for row in Number.objects.exclude(code="")] == [received]
    assert [row.order for row in Number.objects.filter(content="")] == [waiting]
    assert Number.objects.filter(code__isnull=False).count() == 2


def test_a_code_reads_back_however_it_was_written(received):
    number = Number.objects.get()
    number.code = "1234"
    assert number.code == "1234"
    number.save(update_fields=["code"])
    Number.objects.update(content="other")

    number = Number.objects.get()
    assert (number.code, number.content) == ("1234", "other")
    assert [str(text) for text in Number.objects.values_list("code", flat=True)] == ["1234"]
    assert Number.objects.defer("code").get().code == "1234"
    number.code = "5678"
    Number.objects.bulk_update([number], ["code"])
    assert Number.objects.get().code == "5678"
    assert looks_encrypted(raw("code", received))


# --- Keys that change, and what lay there before ----------------------------------------------------------------------
def test_rotate_keys_when_a_new_key_is_in_front_then_codes_need_the_old_one_no_more(shop, received, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY, *settings.FIELD_ENCRYPTION_KEYS]
    said = StringIO()

    call_command("rotate_keys", stdout=said)
    settings.FIELD_ENCRYPTION_KEYS = [NEW_KEY]

    assert "Codes and messages of numbers: 2 encrypted anew." in said.getvalue()
    assert TEXT in page_words(shop.get(reverse("sms:waiting")))
    call_command("rotate_keys", stdout=(again := StringIO()))
    assert "Codes and messages of numbers: 0 encrypted anew." in again.getvalue()


def test_what_a_worker_of_the_version_before_writes_is_encrypted_within_a_minute(shop, received):
    write_raw(received, code=CODE, content=TEXT)

    assert (seal_codes(), seal_codes()) == (2, 0)

    assert stored_anywhere(CODE, "zebra") == set()
    assert TEXT in page_words(shop.get(reverse("sms:waiting")))


def test_a_code_that_is_deleted_while_it_is_encrypted_stays_deleted(received):
    write_raw(received, code=CODE)
    Number.objects.update(code="", content="", content_wiped_at=timezone.now())

    assert seal_codes() == 0
    assert (raw("code", received), raw("content", received)) == ("", "")


def test_the_migration_encrypts_what_lies_there_goes_on_after_an_interruption_and_can_be_taken_back(
    received, bought, monkeypatch
):
    monkeypatch.setattr("accounts.batches.ROWS_AT_ONCE", 1)
    done, waiting = bought(), bought()
    call_command("migrate", "sms", "0009", verbosity=0)
    try:
        assert (raw("code", received), raw("content", received)) == (CODE, TEXT)
        write_raw(done, code=encrypt("7777"), content="left open")  # where an attempt was interrupted
    finally:
        call_command("migrate", "sms", verbosity=0)

    assert stored_anywhere(CODE, "zebra", "left open") == set()
    read = {row.order_id: (row.code, row.content) for row in Number.objects.all()}
    assert read == {received.pk: (CODE, TEXT), done.pk: ("7777", "left open"), waiting.pk: ("", "")}
