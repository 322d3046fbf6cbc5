"""Writing documents at the admin: who may, what is refused, what was said before."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import TrailEntry
from accounts.rights import CATALOG, FINANCE, OWNER, SUPPORT
from preferences.models import PreferenceChange
from support.models import Document, DocumentVersion
from tests.pages import page_words
from tests.security.staff import at_the_admin, in_role
from tests.support.documents.terms import with_documents

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db: None) -> Client:
    with_documents()
    return at_the_admin(in_role("owner@example.com", OWNER))


def pk_of(slug: str) -> int:
    return Document.objects.get(slug=slug).pk


def text_page(slug: str) -> str:
    return reverse("admin:support_document_text", args=[pk_of(slug)])


def said(slug: str) -> dict[str, str]:
    """What the form of a document holds."""
    newest = DocumentVersion.objects.filter(document__slug=slug).order_by("-id")[0]
    fields = {f"title_{code}": title for code, title in newest.titles.items()}
    return {"seen": str(newest.number), **fields, **{f"text_{code}": text for code, text in newest.texts.items()}}


def save(desk: Client, slug: str, **typed: Any) -> HttpResponse:
    return desk.post(text_page(slug), {**said(slug), **typed}, follow=True)


def test_publish_when_a_text_is_changed_then_a_version_is_added_and_the_trail_knows(
    desk: Client, client: Client
) -> None:
    answer = save(desk, "contact", text_en="Call us: {email}\n\n* a\n* b", title_ru="Связь")

    assert "Published." in page_words(answer)
    first, second = DocumentVersion.objects.filter(document__slug="contact").order_by("number")
    assert (second.number, second.actor, second.texts["ru"]) == (2, "owner@example.com", first.texts["ru"])
    assert second.texts["en"] == "Call us: {email}\n\n* a\n* b"
    assert "Call us: support@example.com" in page_words(client.get("/pages/contact/"))
    assert 'href="/pages/contact/">Связь<' in client.get("/", headers={"Accept-Language": "ru"}).content.decode()
    assert TrailEntry.objects.filter(target_type="support.Document").exists()


def test_publish_when_nothing_is_different_then_there_is_no_version(desk: Client) -> None:
    assert "Nothing was different" in page_words(save(desk, "contact"))
    assert DocumentVersion.objects.filter(document__slug="contact").count() == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"text_en": ""}, "This field is required."),
        ({"title_en": ""}, "This field is required."),
        ({"title_ru": ""}, "A text needs a title in its language."),
        ({"text_en": "Ask {nobody} or {nothing}."}, "Nothing is known as {nobody}, {nothing}."),
        ({"text_en": "x" * 60_001}, "at most 60000 characters"),
        ({"title_en": "x" * 81}, "at most 80 characters"),
    ],
)
def test_publish_of_what_cannot_stand_is_refused_in_words(desk: Client, typed: dict[str, str], words: str) -> None:
    answer = save(desk, "contact", **typed)

    assert words in page_words(answer)
    assert DocumentVersion.objects.filter(document__slug="contact").count() == 1


def test_publish_when_somebody_was_quicker_then_nothing_is_lost_and_nothing_is_overwritten(desk: Client) -> None:
    opened = said("contact")
    save(desk, "contact", text_en="Quicker.")

    answer = desk.post(text_page("contact"), {**opened, "text_en": "Slower."})

    assert "Somebody else has published a version" in page_words(answer)
    assert "Slower." in answer.content.decode()
    assert DocumentVersion.objects.filter(document__slug="contact").latest("id").texts["en"] == "Quicker."


def test_preview_shows_the_page_in_each_language_and_saves_nothing(desk: Client) -> None:
    address = reverse("admin:support_document_preview", args=[pk_of("contact")])

    answer = desk.post(f"{address}?language=ru", {**said("contact"), "text_ru": "## Новое\n\n<script>1</script>"})

    assert "Новое" in page_words(answer)
    assert "<script>1" not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert DocumentVersion.objects.filter(document__slug="contact").count() == 1


def test_versions_show_what_was_changed_and_a_former_one_can_be_put_back(desk: Client) -> None:
    before = said("contact")
    save(desk, "contact", text_en="Only this <b>line</b>.")
    pk = pk_of("contact")

    page = desk.get(reverse("admin:support_document_version", args=[pk, 2]))
    assert "+ Only this &lt;b&gt;line&lt;/b&gt;." in page.content.decode()
    assert "− - **About a payment:** when you paid, and how." in page_words(page)
    answer = desk.post(reverse("admin:support_document_back", args=[pk, 1]), {"seen": "2"}, follow=True)

    assert "The former text is back." in page_words(answer)
    assert said("contact") == {**before, "seen": "3"}
    late = desk.post(reverse("admin:support_document_back", args=[pk, 2]), {"seen": "2"}, follow=True)
    assert "Somebody else has published a version" in page_words(late)
    assert DocumentVersion.objects.filter(document=pk).count() == 3


def test_add_when_the_owner_wants_another_page_then_it_is_written_next(desk: Client, client: Client) -> None:
    add = reverse("admin:support_document_add")

    led = desk.post(add, {"slug": "imprint", "position": "5", "in_footer": "on", "public": "on"})
    assert led["Location"] == text_page("imprint")
    assert client.get("/pages/imprint/").status_code == 404
    desk.post(text_page("imprint"), {"seen": "0", "title_en": "Imprint", "text_en": "Us."})

    assert "Us." in page_words(client.get("/pages/imprint/"))
    assert 'href="/pages/imprint/"' in client.get("/").content.decode()
    twice = desk.post(add, {"slug": "imprint", "position": "5"})
    assert "already exists" in page_words(twice)


def test_terms_alone_may_ask_again(desk: Client) -> None:
    assert 'name="asks_again"' not in desk.get(text_page("contact")).content.decode()

    save(desk, "contact", text_en="Other.", asks_again="on")
    save(desk, "terms", text_en="Other.", asks_again="on", summary_en="Shorter.")

    asking = DocumentVersion.objects.filter(asks_again=True)
    assert [(one.document.slug, one.summaries) for one in asking] == [("terms", {"en": "Shorter."})]


@pytest.mark.parametrize("role", [FINANCE, CATALOG, SUPPORT])
def test_who_is_no_owner_writes_nothing(role: str) -> None:
    with_documents()
    desk = at_the_admin(in_role("other@example.com", role))
    pk = pk_of("contact")

    assert desk.get(text_page("contact")).status_code == 403
    assert desk.post(text_page("contact"), {**said("contact"), "text_en": "Mine."}).status_code == 403
    assert desk.post(reverse("admin:support_document_preview", args=[pk]), said("contact")).status_code == 403
    assert desk.post(reverse("admin:support_document_back", args=[pk, 1]), {"seen": "1"}).status_code == 403
    assert DocumentVersion.objects.filter(document=pk).count() == 1


def test_what_pages_know_is_on_no_page_of_preferences(desk: Client) -> None:
    save(desk, "contact", text_en="Other.")
    row = PreferenceChange.objects.get(name="documents")

    page = desk.get(reverse("admin:preferences_preferencechange_changelist"))

    assert page.status_code == 200
    assert "Documents" not in page_words(page)
    assert desk.post(reverse("admin:preferences_undo", args=[row.pk])).status_code == 404
