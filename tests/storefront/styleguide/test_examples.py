"""The style guide shows every component, by inputs that it declares, to staff alone."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.models import User
from storefront.styleguide.examples import EXAMPLES
from storefront.styleguide.views import drawn

pytestmark = pytest.mark.django_db
COMPONENTS = sorted(path.stem for path in (settings.BASE_DIR / "templates/components").glob("*.html"))
# These show something only where something is said or done on the page.
EMPTY = {("form_errors", "said by the summary")}


def declared(name: str) -> str:
    """Return the comment that names a component's inputs."""
    source = (settings.BASE_DIR / f"templates/components/{name}.html").read_text()
    return " ".join(re.findall(r"{#(.*?)#}", source.partition("{% load")[0]))


def test_every_component_has_an_example_and_every_example_a_component() -> None:
    assert sorted(EXAMPLES) == COMPONENTS
    assert [name for name, examples in EXAMPLES.items() if not examples] == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_examples_give_what_the_component_declares_and_show_something(name: str) -> None:
    inputs = declared(name)
    states = [example.state for example in EXAMPLES[name]]

    assert len(set(states)) == len(states)
    for example in EXAMPLES[name]:
        assert [key for key in example.inputs if not re.search(rf"\b{key}\b", inputs)] == []
        for language in ("en", "ru"):
            with translation.override(language):
                text = re.sub(r"\s+", " ", drawn(name, example)).strip()
            assert bool(text) != ((name, example.state) in EMPTY)


def test_styleguide_when_staff_opens_it_shows_all_in_the_theme_and_language_of_the_address(
    client: Client, sam: User
) -> None:
    client.force_login(sam)

    page = client.get("/styleguide/", {"theme": "dark", "language": "ru"}).content.decode()

    assert re.findall(r'data-component="(\w+)"', page) == COMPONENTS
    assert page.count("data-drawn") == sum(map(len, EXAMPLES.values()))
    assert 'data-theme-shown="dark"' in page
    assert '<html lang="ru">' in page
    assert "?theme=light&amp;language=ru" in page
    assert "?theme=dark&amp;language=en" in page
    other = client.get("/styleguide/", {"theme": "pink", "language": "xx"}).content.decode()
    assert 'data-theme-shown=""' in other
    assert '<html lang="en">' in other


def test_styleguide_when_anybody_else_asks_is_not_there(client: Client, ann: User) -> None:
    assert client.get("/styleguide/").status_code == 302
    client.force_login(ann)

    assert client.get("/styleguide/").status_code == 404
