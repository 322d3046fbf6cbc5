"""The owner's pages as readers see them: languages, search, footer, caches."""

import json
import re

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from support.documents.publish import put_back, tell_of_changes
from support.models import Document, DocumentVersion
from tests.pages import markup, page_words
from tests.support.documents.terms import with_documents, write

pytestmark = pytest.mark.django_db
RUSSIAN = {"Accept-Language": "ru"}


@pytest.fixture(autouse=True)
def _documents() -> None:
    with_documents()


def address(slug: str, **query: str) -> str:
    return reverse("documents:document", args=[slug], query=query)


@pytest.mark.parametrize("slug", ["faq", "terms", "refunds", "privacy", "acceptable-use", "contact"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_page_when_the_shop_begins_then_it_is_there_in_both_languages(client: Client, slug: str, language: str) -> None:
    page = client.get(address(slug), headers={"Accept-Language": language})

    version = DocumentVersion.objects.get(document__slug=slug)
    assert page.status_code == 200
    assert f"<h1>{version.titles[language]}</h1>" in markup(page)
    assert f'<div class="document__text" lang="{language}">' in markup(page)
    assert django_settings.SUPPORT_EMAIL in page_words(page)


def test_page_when_there_is_none_or_it_is_hidden_then_it_is_not_found(client: Client) -> None:
    Document.objects.filter(slug="contact").update(public=False)
    Document.objects.create(slug="unwritten")

    for slug in ("contact", "unwritten", "nothing"):
        assert client.get(address(slug)).status_code == 404


def test_page_in_a_language_it_is_not_written_in_says_so(client: Client) -> None:
    write("delivery", "Slowly.", title="Delivery")

    page = client.get(address("delivery"), headers=RUSSIAN)

    assert 'lang="en"><section><p>Slowly.</p>' in markup(page)
    assert markup(page).count('data-level="info"') == 1
    assert 'data-level="info"' not in markup(client.get(address("delivery")))


def test_search_in_the_faq_when_words_are_given_then_only_what_has_them_is_shown(client: Client) -> None:
    write(
        "faq",
        "## Money\n\n### Where is it?\n\nIn the wallet.\n\n### Is it safe?\n\nYes.\n\n## Time\n\n### When?\n\nSoon.",
    )

    found = client.get(address("faq", q="WALLET where"))
    nothing = client.get(address("faq", q='"><script>'))

    assert re.findall(r"<h3[^>]*>(.*?)</h3>", markup(found)) == ["Where is it?"]
    assert re.findall(r"<h2 id[^>]*>(.*?)</h2>", markup(found)) == ["Money"]
    assert "“WALLET where”" in page_words(found)
    assert '<meta name="robots" content="noindex">' in markup(found)
    assert "Nothing here has all of" in page_words(nothing)
    assert "<script>&" not in nothing.content.decode()
    assert '"&gt;&lt;script&gt;' in nothing.content.decode() or "&quot;&gt;&lt;script&gt;" in nothing.content.decode()


def test_faq_when_read_by_a_machine_then_it_has_its_questions(client: Client) -> None:
    write("faq", "## A\n\n### Why </script>?\n\nBecause.")

    page = client.get(address("faq")).content.decode()

    [data] = [json.loads(found) for found in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)]
    [question] = data["mainEntity"]
    assert (question["name"], question["acceptedAnswer"]["text"]) == ("Why </script>?", "<p>Because.</p>")


def test_page_when_a_version_is_published_then_visitors_see_it_at_once(client: Client) -> None:
    write("terms", "Before.")
    assert "Before." in page_words(client.get(address("terms")))
    cached = client.get(address("terms"))

    write("terms", "After.")

    assert cached["ETag"]
    assert "After." in page_words(client.get(address("terms")))


def test_page_when_cached_then_it_costs_a_visitor_no_query(client: Client) -> None:
    client.get(address("terms"))

    with CaptureQueriesContext(connection) as captured:
        client.get(address("terms"))

    assert [each for each in captured if "catalog_version" not in each["sql"]] == []


def test_footer_when_the_owner_orders_and_hides_then_every_page_follows(client: Client, ann: User) -> None:
    def shown(client: Client, path: str) -> list[str]:
        foot = markup(client.get(path)).partition("<footer")[2]
        return re.findall(r'href="/pages/([^"]+)/"', foot)

    customer = Client()
    customer.force_login(ann)
    usual = ["faq", "terms", "refunds", "privacy", "acceptable-use", "contact"]
    assert shown(client, "/") == shown(customer, "/") == shown(client, reverse("catalog:search")) == usual

    Document.objects.filter(slug="contact").update(position=1)
    Document.objects.filter(slug="refunds").update(in_footer=False)
    Document.objects.filter(slug="privacy").update(public=False)
    write("imprint", "Us.", title="Imprint <b>")
    tell_of_changes(actor_id=None, actor="", now=timezone.now())

    wanted = ["contact", "faq", "terms", "acceptable-use", "imprint"]
    assert shown(client, "/") == shown(customer, "/") == shown(client, reverse("catalog:search")) == wanted
    assert "Imprint &lt;b&gt;" in client.get("/").content.decode()
    assert "/pages/imprint/" in client.get("/sitemap-documents-1.xml").content.decode()
    assert "/pages/privacy/" not in client.get("/sitemap-documents-1.xml").content.decode()


def test_put_back_when_a_former_version_is_chosen_then_a_new_one_says_the_same(client: Client) -> None:
    first = write("terms", "First.")
    second = write("terms", "Second.")

    made = put_back(first, seen=second.number, actor_id=1, actor="sam", now=timezone.now())

    assert made is not None
    assert (made.number, made.texts) == (second.number + 1, {"en": "First."})
    assert put_back(first, seen=made.number, actor_id=1, actor="sam", now=timezone.now()) is None
    assert DocumentVersion.objects.get(pk=second.pk).texts == {"en": "Second."}
    assert "First." in page_words(client.get(address("terms")))


def test_palette_finds_documents(client: Client) -> None:
    assert "/pages/refunds/" in client.get(reverse("palette_found"), {"q": "refunds"}).content.decode()
