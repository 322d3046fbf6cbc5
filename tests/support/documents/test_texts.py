"""What the shop's own texts say is true: every figure comes from the settings, every link leads somewhere."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import translation

from support.documents.read import shown_text
from support.documents.shipped import SLUGS, documents
from support.documents.words import WORDS, filled, unknown

TEXTS = [(each.slug, code, text) for each in documents() for code, text in each.texts.items()]
by_text = pytest.mark.parametrize(
    ("slug", "code", "text"), TEXTS, ids=[f"{slug}-{code}" for slug, code, _text in TEXTS]
)
# A number before a unit of time, in words of either language: it would be a figure that no setting holds.
FIGURE = re.compile(r"\b\d+\s+(?:minute|hour|day|week|month|year|минут|час|дн|день|недел|месяц|год|лет)", re.IGNORECASE)


def test_texts_are_there_in_both_languages() -> None:
    assert [each.slug for each in documents()] == [*SLUGS]
    for each in documents():
        assert {"en", "ru"} <= set(each.texts)
        assert all(each.titles.values())


@by_text
def test_text_holds_no_figure_of_its_own_and_no_unknown_word(slug: str, code: str, text: str) -> None:
    assert unknown(text) == []
    assert FIGURE.findall(text) == []
    assert "upplier" not in text
    assert "поставщик" not in text.lower()
    assert "hstock" not in text.lower()


@pytest.mark.django_db
@by_text
def test_text_when_shown_then_every_word_is_filled_in_and_every_link_answers(client, slug, code, text) -> None:
    with translation.override(code):
        page = shown_text({code: "Title"}, {code: text})
    html = "".join(f"{each.html}" for part in page.parts for each in (part, *part.parts))

    assert not re.search(r"\{[a-z_]+\}", html)
    for address in set(re.findall(r'href="(/[^"#]*)"', html)):
        assert client.get(address).status_code in (200, 302), address


def test_both_languages_name_the_same_figures() -> None:
    for each in documents():
        words = {code: sorted(re.findall(r"\{([a-z_]+)\}", text)) for code, text in each.texts.items()}
        figures = {
            code: [one for one in found if not one.endswith(("_page", "_text"))] for code, found in words.items()
        }
        assert figures["en"] == figures["ru"], each.slug


def test_figures_follow_the_settings(settings) -> None:
    settings.PRICE_LOCK_SECONDS = 1500
    settings.SMS_CONTENT_KEEP_DAYS = 77

    assert filled("{price_lock_minutes} {code_days}") == "25 77"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("price_lock_minutes", lambda: django_settings.PRICE_LOCK_SECONDS // 60),
        ("late_change_days", lambda: django_settings.LATE_CHANGE_DAYS),
        ("held_hours", lambda: django_settings.MARGIN_HOLD_HOURS),
        ("number_minutes", lambda: django_settings.SMS_LIFETIME_SECONDS // 60),
        ("code_days", lambda: django_settings.SMS_CONTENT_KEEP_DAYS),
        ("deletion_days", lambda: django_settings.PRIVACY.deletion_delay // timedelta(days=1)),
        ("export_days", lambda: django_settings.PRIVACY.exports_kept // timedelta(days=1)),
        ("mail_days", lambda: django_settings.RETENTION.notices // timedelta(days=1)),
        ("look_days", lambda: django_settings.RETENTION.goods_looks // timedelta(days=1)),
        ("attachment_days", lambda: django_settings.RETENTION.attachments // timedelta(days=1)),
    ],
)
def test_a_figure_is_its_setting(word, value) -> None:
    assert WORDS[word]() == str(int(value()))


@pytest.mark.django_db
def test_a_name_of_the_shop_is_no_markup(settings) -> None:
    settings.STORE_NAME = "*A* [x](javascript:alert(1)) <b>"
    page = shown_text({"en": "T"}, {"en": "Hello {store}."})

    assert page.parts[0].html == "<p>Hello *A* [x](javascript:alert(1)) &lt;b&gt;.</p>"


def test_privacy_tells_of_every_cookie_that_is_set() -> None:
    """Whoever sets another one writes it into the text, in each language, and its module here."""
    root = Path(django_settings.BASE_DIR)
    apps = sorted({path.parent for path in root.glob("*/apps.py")} | {root / "storefront"})
    sources = [path for app in apps for path in app.rglob("*.py")]
    setting = re.compile(r"\.set_(?:signed_)?cookie\(")

    found = {path.relative_to(root).as_posix() for path in sources if setting.search(path.read_text("utf-8"))}

    assert found == {
        "accounts/security/fresh_sign_in.py",  # belongs to a form that waits for a sign-in
        "accounts/sign_up/referrals.py",  # a friend's link
        "support/pages/announcements.py",  # what a visitor has hidden
    }
