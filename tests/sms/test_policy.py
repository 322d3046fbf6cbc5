"""The word list: what it forbids is not sold, whoever asks and whatever was on the page."""

import pytest
from django.urls import reverse

from orders.placing.refusals import OrderRefused
from sms.models import Country, ForbiddenWord, Project, Site
from sms.policy import apply_words, delete_words, save_word
from sms.sync import sync_sms

pytestmark = pytest.mark.django_db


def put_on_sale(name: str) -> Project:
    country, _created = Country.objects.get_or_create(code="us", defaults={"name": "United States"})
    return Project.objects.create(upstream_id=name, country=country, name=name, price_upstream_micros=500_000)


def on_sale() -> set[str]:
    return {project.name for project in Project.objects.on_sale()}


def test_save_word_when_a_name_contains_it_in_any_case_takes_it_off_sale() -> None:
    for name in ("Сбербанк", "PayPal", "Telegram"):
        put_on_sale(name)

    touched = [save_word(ForbiddenWord(word=" сбер ")), save_word(ForbiddenWord(word="PAYPAL"))]

    assert touched == [1, 1]
    assert on_sale() == {"Telegram"}


def test_save_word_when_it_is_changed_frees_what_it_forbade_before() -> None:
    put_on_sale("PayPal")
    put_on_sale("Telegram")
    word = ForbiddenWord(word="paypal")
    save_word(word)

    word.word = "tele"
    save_word(word)

    assert on_sale() == {"PayPal"}


def test_save_word_when_a_translated_name_contains_it_takes_it_off_sale(settings) -> None:
    settings.CATALOG_LANGUAGES = ["ru"]
    bank = Site.objects.create(name="Sber", translated_names={"ru": "Сбербанк"})

    save_word(ForbiddenWord(word="БАНК"))

    bank.refresh_from_db()
    assert bank.forbidden


def test_delete_words_when_another_word_still_forbids_a_name_leaves_it_forbidden() -> None:
    put_on_sale("PayPal")
    words = [ForbiddenWord(word=text) for text in ("pay", "pal")]
    for word in words:
        save_word(word)

    assert (delete_words([words[0].pk]), on_sale()) == (0, set())
    assert (delete_words([words[1].pk]), on_sale()) == (1, {"PayPal"})


def test_sync_sms_when_a_new_name_contains_a_word_never_offers_it(sandbox, client_upstream) -> None:
    save_word(ForbiddenWord(word="openai"))

    sync_sms(client=client_upstream)

    assert Site.objects.get(name="OpenAI / ChatGPT").forbidden
    assert "OpenAI / ChatGPT" not in on_sale()
    assert len(on_sale()) > 1


def test_buy_numbers_when_the_word_came_after_the_page_was_shown_takes_nothing(buy, ann) -> None:
    save_word(ForbiddenWord(word="chatgpt"))

    with pytest.raises(OrderRefused, match="no longer sold"):
        buy()

    assert ann.orders.count() == 0


def test_admin_when_words_are_added_changed_and_deleted_then_the_listing_follows(sam, client) -> None:
    put_on_sale("PayPal")
    put_on_sale("Telegram")
    client.force_login(sam)

    client.post(reverse("admin:sms_forbiddenword_add"), {"word": "paypal", "note": "fraud"})
    assert on_sale() == {"Telegram"}
    word = ForbiddenWord.objects.get()
    client.post(reverse("admin:sms_forbiddenword_change", args=[word.pk]), {"word": "telegram"})
    assert on_sale() == {"PayPal"}
    everything = {"action": "delete_selected", "_selected_action": [word.pk], "post": "yes"}
    client.post(reverse("admin:sms_forbiddenword_changelist"), everything)
    assert on_sale() == {"PayPal", "Telegram"}


def test_apply_words_when_nothing_is_wrong_changes_nothing(django_assert_num_queries) -> None:
    put_on_sale("PayPal")

    with django_assert_num_queries(2):
        assert apply_words() == 0


@pytest.mark.parametrize(
    ("word", "name"),
    [("кафé", "КАФÉ один"), ("ＰａｙＰａｌ", "PayPal"), ("paypal", "Ｐａｙｐａｌ 2")],
)
def test_save_word_when_a_name_is_the_same_in_other_letters_of_unicode_forbids_it(word, name) -> None:
    site = Site.objects.create(name=name, search_text=name.lower())

    save_word(ForbiddenWord(word=word))

    site.refresh_from_db()
    assert site.forbidden


@pytest.mark.parametrize(
    "name",
    [
        "B\u200bank",
        "Ba\u00adnk",
        "B&#97;nk",
        "ＢＡＮＫ",
        "𝗕𝗮𝗻𝗸",
        "Bánk",
        "ba\u0301nk",
        "My B\u2060an\ufeffk app",
        "B\ufe0fank",
        "Ba\u180bnk",
        "b\u20e3ank",
    ],
)
def test_save_word_when_a_name_only_looks_like_it_takes_it_off_sale_all_the_same(name: str) -> None:
    for one in (name, "Telegram"):
        put_on_sale(one)

    assert save_word(ForbiddenWord(word="bank")) == 1
    assert on_sale() == {"Telegram"}


@pytest.mark.parametrize("word", ["ba\u00adnk", "\ufeffBANK\u200b", "ｂａｎｋ", "b&#97;nk"])
def test_save_word_when_it_was_pasted_is_the_word_one_sees(word: str) -> None:
    put_on_sale("Bank")

    assert save_word(ForbiddenWord(word=word)) == 1


def test_apply_words_when_nothing_is_seen_of_a_word_forbids_nothing() -> None:
    put_on_sale("Telegram")
    ForbiddenWord.objects.create(word="\u200b")

    assert apply_words() == 0
    assert on_sale() == {"Telegram"}


def test_admin_adds_no_word_of_which_nothing_is_seen(client, sam) -> None:
    client.force_login(sam)

    client.post(reverse("admin:sms_forbiddenword_add"), {"word": "\u200b\u00ad", "note": ""})
    client.post(reverse("admin:sms_forbiddenword_add"), {"word": "ba\u200bnk", "note": ""})

    assert list(ForbiddenWord.objects.values_list("word", flat=True)) == ["bank"]
