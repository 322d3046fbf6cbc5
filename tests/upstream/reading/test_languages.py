"""Which of upstream's languages is meant."""

import pytest

from upstream.reading.languages import CODES, code_among


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("ru", "ru"),
        (" RU ", "ru"),
        ("ru-RU", "ru"),
        ("ru_RU", "ru"),
        ("pt", "pt"),
        ("pt-br", "pt-BR"),
        ("pt-pt", "pt"),
        ("zh-hans", "zh"),
        ("bn", "bn-BD"),
        ("en", ""),
        ("", ""),
        ("-", ""),
        ("tlh", ""),
    ],
)
def test_code_among_all_of_upstreams(asked: str, code: str) -> None:
    assert code_among(asked, CODES) == code


def test_code_among_few_takes_what_comes_nearest() -> None:
    assert code_among("pt", ("ru", "pt-BR")) == "pt-BR"
    assert code_among("ru", ()) == ""
