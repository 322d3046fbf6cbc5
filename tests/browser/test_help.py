"""A customer asks with a picture on a telephone, and the answer appears while the page lies open."""

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from support.models import Attachment, Ticket
from support.tickets.thread import answer
from tests.browser.test_api_pages import fits, visitor
from tests.browser.test_story import accessible
from tests.support.files import picture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.django_db(transaction=True)]
NARROW = {"width": 360, "height": 800}


def test_asking_with_a_picture_reading_the_answer_as_it_comes_and_rating_it(
    browser: Browser, live_server: LiveServer, ann: User, sam: User
) -> None:
    for page in visitor(browser, live_server.url, ann, viewport=NARROW):
        page.goto(f"{live_server.url}/help/")
        accessible(page)
        page.get_by_role("link", name="Ask a question").first.click()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_contain_text("Write a few words.")
        page.get_by_label("Something else").check()
        page.get_by_label("Your message").fill("How does this work?")
        page.get_by_label("Files").set_input_files(
            [{"name": "screen.png", "mimeType": "image/png", "buffer": picture()}]
        )
        assert fits(page)
        accessible(page)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("How does this work?")
        with page.expect_download() as download:
            page.get_by_role("link", name="screen.png").click()
        assert download.value.suggested_filename == "screen.png"
        assert Attachment.objects.count() == 1

        page.get_by_label("Your message").fill("Half a repl")
        answer(Ticket.objects.get().pk, actor=sam, text="Like this.", now=timezone.now())
        expect(page.get_by_text("Like this.", exact=True)).to_be_visible(timeout=25_000)
        # What was being typed is not lost by it.
        expect(page.get_by_label("Your message")).to_have_value("Half a repl")
        assert fits(page)
        accessible(page)
        page.get_by_label("Yes").check()
        page.get_by_role("button", name="Send my rating").click()
        expect(page.get_by_text("We read every rating")).to_be_visible()
        assert Ticket.objects.get().rating == Ticket.Rating.GOOD
