"""A refusal is the same one in capitals, with a full stop, and with blanks too many; nothing else is forgiven."""

import importlib

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils import timezone

from orders.fulfilment.apply_mappings import list_refusal
from orders.fulfilment.forward import forward_order
from orders.fulfilment.refusals import BUILT_IN, meaning_of
from orders.models import ContractDrift, ForwardingPause, KnownRefusal, Order, Status
from upstream.errors import InvalidApiKey, OrderNotFound, plain_text, refusal

Meaning = KnownRefusal.Meaning
pytestmark = pytest.mark.django_db(transaction=True)
SPELLINGS = [str.upper, str.lower, "{}.".format, " {} ".format, lambda text: text.replace(" ", "  ")]


@pytest.mark.parametrize("text", ["Insufficient balance.", "insufficient balance", "INSUFFICIENT  BALANCE "])
def test_forward_order_refused_for_our_balance_in_any_spelling_pauses_the_shop(place, client_upstream, sandbox, text):
    orders = [place(quantity=100) for _each in range(3)]
    sandbox.fail_next("refuse", action="add", text=text, times=3)

    for order in orders:
        forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert set(Order.objects.values_list("status", flat=True)) == {Status.PAID}
    assert ForwardingPause.objects.get().reason == ForwardingPause.Reason.BALANCE


@pytest.mark.parametrize("spell", SPELLINGS)
def test_meaning_of_a_listed_text_is_the_same_in_any_spelling(spell):
    KnownRefusal.objects.create(text="Drip feed is off", meaning=Meaning.SERVICE)

    assert meaning_of(spell("Drip feed is off"), 200) == Meaning.SERVICE
    assert meaning_of(spell("Quantity must be between 10 and 20"), 200) == Meaning.FLAG
    assert {text: meaning_of(spell(text), 200) for text in BUILT_IN} == BUILT_IN


@pytest.mark.parametrize(
    "text",
    [
        "Insufficient balance, order 5 placed",
        "Insufficient balance. Order 5 placed.",
        "Insufficient balance!",
        "Insufficientbalance",
        "Insufficient balance...",
        "Quantity must be between 10 and 20, order 5 placed",
        "",
        ".",
    ],
)
def test_meaning_of_a_text_that_says_more_or_less_is_unknown(text):
    assert meaning_of(text, 200) is None


@pytest.mark.parametrize("spell", SPELLINGS)
def test_refusal_is_the_documented_error_in_any_spelling(spell):
    assert type(refusal(spell("Order not found"))) is OrderNotFound
    assert type(refusal(spell("Invalid API key"))) is InvalidApiKey


def test_known_refusals_that_differ_only_in_spelling_are_one(sam):
    list_refusal("Drip feed is off", meaning=Meaning.ORDER, actor=sam, now=timezone.now())
    list_refusal("DRIP FEED is off.", meaning=Meaning.LATER, actor=sam, now=timezone.now())

    row = KnownRefusal.objects.get()
    assert (row.text, row.meaning, row.plain_text) == ("Drip feed is off", Meaning.LATER, "drip feed is off")
    with pytest.raises(ValidationError, match="listed already"):
        KnownRefusal(text="drip  feed is off", meaning=Meaning.ORDER).full_clean()
    row.full_clean()


def test_list_refusal_settles_the_orders_that_were_answered_in_another_spelling(place, client_upstream, sandbox, sam):
    order = place()
    sandbox.fail_next("refuse", action="add", text="DRIP FEED is off.")
    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert list_refusal("Drip feed is off", meaning=Meaning.ORDER, actor=sam, now=timezone.now()) == 1

    order.refresh_from_db()
    assert order.status == Status.FAILED
    assert not ContractDrift.objects.filter(settled_at=None).exists()


def test_the_longest_text_in_letters_that_become_three_is_kept():
    row = KnownRefusal.objects.create(text="\u0390" * 300)

    assert KnownRefusal.objects.get(plain_text=plain_text(row.text)) == row


@pytest.mark.parametrize(
    "text",
    ["Insufficient\u200b  bal\u00adance.", "ＩＮＳＵＦＦＩＣＩＥＮＴ balance", "\ufeffInsufficient&nbsp;balance"],
)
def test_meaning_of_a_text_that_looks_like_a_known_one_is_its_meaning(text):
    assert meaning_of(text, 200) == Meaning.BALANCE


def test_upgrade_knows_listed_refusals_by_what_is_seen_of_them_and_keeps_the_newest_of_two():
    texts = {"Aucun numéro": "aucun numéro", "Aucun numero": "aucun numero", "Other": "other"}
    for text, plain in texts.items():
        KnownRefusal.objects.bulk_create([KnownRefusal(text=text, plain_text=plain, meaning=Meaning.FLAG)])

    importlib.import_module("orders.migrations.0023_refusals_by_what_is_seen").rewrite(apps, None)

    assert sorted(KnownRefusal.objects.values_list("text", "plain_text")) == [
        ("Aucun numero", "aucun numero"),
        ("Other", "other"),
    ]


def test_upgrade_keeps_the_newest_decision_where_an_older_one_has_its_text_already():
    for text, plain, meaning in (
        ("Aucun numero", "aucun numero", Meaning.LATER),
        ("Aucun numéro", "aucun numéro", Meaning.FLAG),
    ):
        KnownRefusal.objects.bulk_create([KnownRefusal(text=text, plain_text=plain, meaning=meaning)])

    importlib.import_module("orders.migrations.0023_refusals_by_what_is_seen").rewrite(apps, None)

    assert list(KnownRefusal.objects.values_list("plain_text", "meaning")) == [("aucun numero", Meaning.FLAG)]


def test_upgrade_gives_a_text_to_another_row_that_stays():
    for text, plain in (("Aucun\ufe0f numero", "other"), ("Other", "aucun numero")):
        KnownRefusal.objects.bulk_create([KnownRefusal(text=text, plain_text=plain, meaning=Meaning.FLAG)])

    importlib.import_module("orders.migrations.0023_refusals_by_what_is_seen").rewrite(apps, None)

    plain = dict(KnownRefusal.objects.values_list("text", "plain_text"))
    assert plain == {"Aucun\ufe0f numero": "aucun numero", "Other": "other"}
