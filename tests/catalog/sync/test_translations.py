"""What an answer in another language says about names, where it can be proved."""

import pytest

from catalog.sync.translations import count_name, subcategory_names, translation_of, usual_names, with_translation
from upstream.protocol.wire import CategoryRow

ENGLISH = [
    CategoryRow("Instagram", ["Likes", "Followers", "Views"]),
    CategoryRow("Email Accounts", ["Gmail", "Outlook"]),
    CategoryRow("Proxies", ["Mobile"]),
]
RUSSIAN = [
    CategoryRow("Instagram", ["Лайки", "Подписчики", "Просмотры"]),
    CategoryRow("Почтовые аккаунты", ["Gmail", "Outlook"]),
    CategoryRow("Прокси", ["Мобильные"]),
]
KNOWN = {"Instagram": "Instagram", "Email Accounts": "Почтовые аккаунты", "Proxies": "Прокси"}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("Подписчики", "Подписчики"),
        ("  Подписчики ", "Подписчики"),
        ("Followers", ""),
        ("FOLLOWERS", ""),
        ("Ｆollowers\u200b", ""),
        ("", ""),
        ("\u200b", ""),
        ("п" * 21, ""),
    ],
)
def test_translation_of_the_english_name_again_or_of_nothing_is_none(answer: str, name: str) -> None:
    assert translation_of(answer, "Followers", longest=20) == name


def test_with_translation_leaves_the_other_languages() -> None:
    assert with_translation({"de": "Follower", "ru": "А"}, "ru", "Б") == {"de": "Follower", "ru": "Б"}
    assert with_translation({"de": "Follower", "ru": "А"}, "ru", "") == {"de": "Follower"}


def test_usual_names_are_what_most_rows_say() -> None:
    tally: dict = {}
    for name in ("Почта", "Email", "Почта", " Почта "):
        count_name(tally, 7, name)
    count_name(tally, 8, "Прокси")

    assert usual_names(tally) == {7: "Почта", 8: "Прокси"}


def test_subcategory_names_of_one_shape_are_taken_by_their_places() -> None:
    found = subcategory_names(ENGLISH, RUSSIAN, KNOWN)

    assert {pair[1]: name for pair, name in found.items() if name} == {
        "Likes": "Лайки",
        "Followers": "Подписчики",
        "Views": "Просмотры",
        "Mobile": "Мобильные",
    }


@pytest.mark.parametrize(
    "answer",
    [
        [],
        RUSSIAN[:2],
        [RUSSIAN[0], RUSSIAN[2], RUSSIAN[1]],  # categories in another order
        [CategoryRow("Instagram", ["Лайки", "Подписчики"]), *RUSSIAN[1:]],  # one is missing
        [RUSSIAN[0], CategoryRow("Почтовые аккаунты", ["Outlook", "Gmail"]), RUSSIAN[2]],  # sorted otherwise
        [CategoryRow("Инстаграм", RUSSIAN[0].subcategories), *RUSSIAN[1:]],  # its services call it otherwise
    ],
)
def test_subcategory_names_when_anything_does_not_agree_are_none(answer: list[CategoryRow]) -> None:
    assert subcategory_names(ENGLISH, answer, KNOWN) == {}


def test_subcategory_names_when_both_lists_are_sorted_are_taken_only_where_another_list_shows_them() -> None:
    english = [
        CategoryRow("A", ["Comments", "Followers", "Likes"]),
        CategoryRow("B", ["Likes", "Comments"]),
    ]
    translated = [
        CategoryRow("А", ["Комментарии", "Лайки", "Подписчики"]),  # sorted anew: Лайки is not Followers
        CategoryRow("Б", ["Лайки", "Комментарии"]),
    ]

    found = subcategory_names(english, translated, {"A": "А", "B": "Б"})

    assert found == {("A", "Comments"): "Комментарии", ("B", "Likes"): "Лайки", ("B", "Comments"): "Комментарии"}


def test_subcategory_names_when_no_category_is_known_are_none() -> None:
    assert subcategory_names(ENGLISH, RUSSIAN, {}) == {}
