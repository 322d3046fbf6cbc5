"""Money that moves at the admin in a browser: the dialog is posted, a code is asked for, and it comes back."""

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from tests.browser.test_api_pages import address, visitor
from tests.security.factors import NOTHING_DONE, age_all_sessions, code
from wallet.models import Wallet

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]


def test_a_dialog_when_nobody_has_confirmed_lately_comes_back_and_is_pressed_again(
    browser: Browser, address: str, sam: User, ann: User
) -> None:
    wallet = Wallet.objects.get(user=ann)
    before = wallet.balance_micros
    complaints: list[str] = []
    for page in visitor(browser, address, sam):
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"/admin/wallet/wallet/{wallet.pk}/change/")
        page.get_by_role("link", name="Adjust", exact=True).click()
        page.get_by_label("Amount").fill("12.34")
        page.get_by_label("Note").fill("Sorry")
        age_all_sessions(sam)
        page.locator("#dialog").get_by_role("button", name="Adjust").click()

        page.wait_for_url("**/accounts/2fa/reauthenticate/**")
        page.get_by_role("textbox").fill(code())
        page.get_by_role("button", name="Confirm").click()

        page.wait_for_url(f"**/admin/wallet/wallet/{wallet.pk}/adjust**")
        expect(page.get_by_text(NOTHING_DONE)).to_be_visible()
        expect(page.get_by_label("Amount")).to_have_value("12.34")
        wallet.refresh_from_db()
        assert wallet.balance_micros == before
        page.get_by_role("button", name="Adjust").click()
        page.wait_for_url(f"**/admin/wallet/wallet/{wallet.pk}/change/")
        expect(page.get_by_text("Booked")).to_be_visible()
        wallet.refresh_from_db()
        assert wallet.balance_micros == before + 12_340_000
        assert complaints == []
