"""A passkey in a browser, under the pages' strict policy: made beside the account, and signed in with alone."""

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from tests.browser.test_api_pages import PHONE, address, fits, visitor
from tests.browser.test_story import accessible

__all__ = ["address"]  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("more browser")]


def has_a_fingerprint(page: Page) -> None:
    """Give the browser an authenticator of its own, as a phone or a laptop has."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_passkey_when_it_is_made_signs_in_alone(browser: Browser, address: str, ann: User) -> None:
    complaints: list[str] = []
    for page in visitor(browser, address, ann, viewport=PHONE):
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        has_a_fingerprint(page)

        page.goto("/accounts/2fa/webauthn/add/")
        accessible(page)
        assert fits(page)
        page.get_by_label("Name").fill("My phone")
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url("**/recovery-codes/**")
        accessible(page)
        assert Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN).wrap().is_passwordless
        page.goto("/accounts/2fa/webauthn/")
        expect(page.get_by_text("My phone")).to_be_visible()
        accessible(page)
        assert fits(page)

        page.context.clear_cookies()
        page.goto("/accounts/login/")
        accessible(page)
        assert fits(page)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(f"{address}/")

        page.goto("/account/security/")
        expect(page.get_by_text("This browser")).to_be_visible()
        accessible(page)
        assert fits(page)
        assert complaints == []
