"""The profile `live`: what users of the live server report, asked over plain HTTP."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from tests.upstream.sandbox_calls import FOLLOWERS, GMAIL, LINK, Ask, first_project
from upstream.sandbox.process import Sandbox
from upstream.sandbox.profiles.translations import LANGUAGES, RUSSIAN
from upstream.sandbox.sample_words import COUNTRIES, GOODS, NETWORKS


@pytest.fixture
def live(box: Sandbox) -> Sandbox:
    box.set(profiles=["live"], reads_per_second=1000)
    return box


# --- Services ------------------------------------------------------------------------------------------------------
def test_services_when_listed_carry_the_extras_on_every_row(live: Sandbox, ask: Ask) -> None:
    rows = ask("services")["services"]

    extras = [{"id", "entityType", "description", "imageUrl"} <= set(row) for row in rows]
    assert all(extras)
    assert {row["entityType"] for row in rows} == {"smm", "product"}
    assert all(re.fullmatch(r"[0-9a-f]{24}", row["id"]) for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all("<" in row["description"] for row in rows)
    live.set(profiles=[])
    assert "description" not in ask("services")["services"][0]


def test_services_when_edited_show_it_at_once_in_every_language(live: Sandbox, ask: Ask) -> None:
    ask("services", lang="ru")

    live.set_service(FOLLOWERS, name="Instagram Followers | Real | as never before", rate="9.99")

    row = ask("services", lang="ru")["services"][0]
    assert (row["name"], row["rate"]) == ("Подписчики Instagram | Живые | as never before", "9.99")


def test_add_when_goods_have_no_link_is_accepted(live: Sandbox, ask: Ask) -> None:
    assert ask("add", service=GMAIL, quantity=2, link="") == {"order": 23501}
    assert ask("add", service=GMAIL, quantity=2) == {"order": 23502}
    assert ask("add", service=FOLLOWERS, quantity=100, link="") == {"error": "Link is required"}


def test_status_when_goods_are_delivered_parts_accounts_in_three_ways(live: Sandbox, ask: Ask) -> None:
    orders = [ask("add", service=GMAIL, quantity=2)["order"] for _each in range(3)]
    for order in orders:
        live.set_order(order, status="Completed")

    lines = [ask("status", order=order)["accounts"] for order in orders]

    separators = []
    for line in (line for accounts in lines for line in accounts):
        found = re.fullmatch(r"user\d+@example\.com(----|\||:)[0-9a-f]{12}(----|\||:)spare\d+@example\.net", line)
        assert found is not None
        assert found[1] == found[2]
        separators.append(found[1])
    assert Counter(separators) == {"----": 2, "|": 2, ":": 2}
    assert [order["accounts"] for order in live.orders] == lines


# --- Numbers -------------------------------------------------------------------------------------------------------
def test_add_sms_when_answered_has_a_national_number_that_can_be_rented_again(live: Sandbox, ask: Ask) -> None:
    project = first_project(ask)
    (number,) = ask("add_sms", project_id=project, country="us")["orders"]

    assert re.fullmatch(r"305\d{7}", number["phone"])
    assert ask("sms_status", order=number["order"])["phone"] == number["phone"]
    assert live.orders[0]["phone"] == f"+1{number['phone']}"
    for given in (number["phone"], f"+1{number['phone']}"):
        assert ask("add_sms", project_id=project, phone=given)["orders"][0]["phone"] == number["phone"]
    assert ask("add_sms", project_id=project, phone="3050000000") == {"error": "Phone number is not available"}


def test_countries_when_listed_are_named_by_dial_codes_while_the_filter_takes_others(live: Sandbox, ask: Ask) -> None:
    codes = [row["country_code"] for row in ask("sms_countries")]
    rows = ask("sms_projects", country="ru")

    assert len(codes) == len(COUNTRIES)
    assert Counter(codes)["+7"] == 2  # Russia and Kazakhstan
    assert {(row["country_id"], row["country_code"], row["country_title"]) for row in rows} == {("ru", "+7", "russia")}
    assert ask("sms_projects", country="+7") == []


def test_projects_when_a_website_has_several_offers_have_ids_and_prices_of_their_own(live: Sandbox, ask: Ask) -> None:
    rows = ask("sms_projects")

    sites = Counter((row["name"], row["country_id"]) for row in rows)
    several = [site for site, count in sites.items() if count > 1]
    assert len(several) > 50
    assert ("OpenAI / ChatGPT", "us") in several
    assert len({row["project_id"] for row in rows}) == len(rows)
    offers = [row for row in rows if (row["name"], row["country_id"]) == ("OpenAI / ChatGPT", "us")]
    assert len({row["price"] for row in offers}) == len(offers)
    other = offers[-1]
    before = Decimal(ask("balance")["balance"])
    assert ask("add_sms", project_id=other["project_id"])["orders"][0]["order"]
    assert before - Decimal(ask("balance")["balance"]) == Decimal(other["price"])
    live.set(profiles=[])
    assert ask("add_sms", project_id=other["project_id"]) == {"error": "Project not found"}
    assert len(ask("sms_projects")) == len(sites)


# --- Languages -----------------------------------------------------------------------------------------------------
def test_lang_when_russian_names_everything_that_is_no_brand(live: Sandbox, ask: Ask) -> None:
    brands = {name for name, _works in NETWORKS} - RUSSIAN.keys()
    missing = {goods.category for goods in GOODS} - RUSSIAN.keys()
    missing |= {work.name for _name, works in NETWORKS for work in works} - RUSSIAN.keys()
    missing |= {title for _code, title, _dial in COUNTRIES} - RUSSIAN.keys()
    assert missing == {"VPN"}
    assert "Instagram" in brands

    categories = ask("categories", lang="ru")["categories"]
    rows = ask("services", lang="ru")["services"]

    assert categories[0]["category"] == "Instagram"
    assert categories[0]["subcategories"][:2] == ["Подписчики", "Комментарии"]
    assert "Почтовые аккаунты" in [row["category"] for row in categories]
    assert (rows[0]["name"], rows[1]["name"]) == ("Подписчики Instagram", "Комментарии Instagram")
    assert rows[2]["category"] == "Почтовые аккаунты"
    assert "Подписчики Instagram" in rows[0]["description"]
    assert ask("sms_countries", lang="ru")[2] == {"country_code": "+49", "country_name": "Германия"}
    assert ask("sms_projects", lang="ru", country="de")[0]["country_title"] == "германия"


def test_lang_when_translated_keeps_the_order_and_the_names_in_filters(live: Sandbox, ask: Ask) -> None:
    plain, russian = ask("services"), ask("services", lang="ru")
    english = ask("categories")["categories"]

    assert [row["service"] for row in plain["services"]] == [row["service"] for row in russian["services"]]
    assert len(ask("categories", lang="ru")["categories"]) == len(english)
    goods = ask("services", lang="ru", category="Email Accounts")["services"]
    assert goods
    assert {row["category"] for row in goods} == {"Почтовые аккаунты"}
    assert ask("services", lang="ru", category="Почтовые аккаунты")["services"] == []


@pytest.mark.parametrize("language", ["", "en", "xx", *LANGUAGES])
def test_lang_when_a_translation_is_missing_is_answered_in_english(live: Sandbox, ask: Ask, language: str) -> None:
    rows = ask("services", lang=language)["services"]
    english = ask("services")["services"]

    assert rows[4]["name"].startswith("NordVPN") or rows[4]["name"].endswith("NordVPN")
    if language in ("", "en", "xx", "ja", "ko", "vi", "ur", "bn-BD", "pt"):
        assert rows == english
    for action in ("balance", "sms_countries", "sms_projects", "categories"):
        assert "error" not in ask(action, lang=language)


def test_lang_when_buying_or_without_the_profile_is_no_parameter(live: Sandbox, ask: Ask) -> None:
    bought = ask("add", service=FOLLOWERS, link=LINK, quantity=100, lang="ru")
    live.set(profiles=[])

    assert bought == ask("services", lang="ru") == {"error": "Unknown parameter: lang"}


# --- Limits --------------------------------------------------------------------------------------------------------
def test_reads_when_too_many_come_in_a_second_are_refused_in_words_and_purchases_are_not(
    live: Sandbox, ask: Ask
) -> None:
    live.set(reads_per_second=3)

    answers = [ask("balance") for _each in range(8)]

    assert {"error": "Rate limit exceeded, please slow down"} in answers
    assert "balance" in answers[0]
    assert ask("add", service=FOLLOWERS, link=LINK, quantity=100) == {"order": 23501}
    live.set(profiles=[])
    assert all("balance" in ask("balance") for _each in range(8))
