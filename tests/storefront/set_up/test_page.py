"""The set-up of a new shop: each step tried out in earnest, left and taken up again, and closed for good at the end."""

from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import TrailEntry, User
from accounts.rights import CATALOG, FINANCE, OWNER, SUPPORT
from catalog.models import Service, SyncRun
from catalog.preferences import DEFAULT_MARKUP
from catalog.sync.heard import heard_of, tell_of_progress
from preferences.doors import SET_UP_DONE, WHOLE_SHOP
from preferences.face import STORE_NAME
from preferences.models import PreferenceChange
from storefront.demo.processes import free_port
from storefront.models import SetUpStep
from storefront.monitoring.doctor import PARTS
from storefront.set_up.operations import sync_begun_at
from storefront.set_up.steps import STEPS
from storefront.tasks import beat_heartbeat
from tests.preferences.known import prefer
from tests.security.factors import CONFIRM, NOTHING_DONE, code, confirm_with, desk
from tests.security.staff import at_the_admin, in_role
from tests.wallet.conftest import btcpay_server, stripe_server
from tests.wallet.fake_btcpay import FakeBtcpay
from tests.wallet.fake_stripe import FakeStripe

__all__ = ["btcpay_server", "desk", "stripe_server"]  # fixtures
pytestmark = pytest.mark.django_db
PAGE, HOME = reverse("admin:set_up"), reverse("admin:index")
PRICES, SYNC = reverse("admin:set_up_prices"), reverse("admin:set_up_sync")
State = SetUpStep.State


@pytest.fixture
def owner(sam: User) -> Client:
    """Sam at the admin of a new shop."""
    return at_the_admin(sam)


def press(client: Client, step: str, do: str = "check", **typed: Any) -> Any:
    return client.post(PAGE, {"step": step, "do": do, **typed})


def stands(client: Client) -> dict[str, str]:
    return {one.step.name: str(one.state) for one in client.get(PAGE).context["standings"]}


def said(client: Client, step: str) -> str:
    [found] = [one.said for one in client.get(PAGE).context["standings"] if one.step.name == step]
    return found


def told(client: Client, address: str = HOME) -> list[str]:
    return [str(message) for message in client.get(address).context["messages"]]


def name_the_shop(client: Client) -> None:
    press(client, "store", "save", seen=0, store_name="Corner shop", support_email="help@corner.shop")


def settle_all(client: Client, service: Service) -> None:
    beat_heartbeat()
    name_the_shop(client)
    press(client, "markup", "save", seen=99, default_markup_percent="40", floor_margin_percent="5")
    for step in ("machine", "upstream", "e-mail"):
        press(client, step)
    press(client, "payments", "skip")


# --- Who, and when ----------------------------------------------------------------------------------------------------


def test_home_leads_a_new_owner_there_and_nobody_else(owner: Client) -> None:
    shown = owner.get(HOME).content.decode()

    assert f'href="{PAGE}"' in shown
    assert "7 steps are left before the shop opens. What comes next: The machine." in shown
    for role in (FINANCE, CATALOG, SUPPORT):
        other = at_the_admin(in_role(f"{role}@example.com", role))
        assert f'href="{PAGE}"' not in other.get(HOME).content.decode()
        for address in (PAGE, SYNC, PRICES):
            assert other.get(address).status_code == 403
        assert press(other, "payments", "skip").status_code == 403
    assert at_the_admin(in_role("boss@example.com", OWNER)).get(PAGE).status_code == 200
    assert not SetUpStep.objects.exists()


def test_nothing_is_done_for_a_session_that_has_confirmed_nothing_lately(desk: Client) -> None:
    typed = {"step": "store", "do": "save", "seen": "0", "store_name": "Corner shop", "support_email": "x"}

    asked = desk.post(PAGE, typed)
    assert asked["Location"].startswith(CONFIRM)
    assert confirm_with(desk, asked, code())["Location"] == PAGE
    shown = desk.get(PAGE).content.decode()

    assert NOTHING_DONE in shown
    assert 'value="Corner shop"' in shown
    assert not PreferenceChange.objects.exists()


# --- The steps --------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_said_and_the_right_one_settles_it(owner: Client, sandbox: Any, settings: Any) -> None:
    right = settings.UPSTREAM_KEY
    settings.UPSTREAM_KEY = "no-such-key"
    press(owner, "upstream")
    assert (stands(owner)["upstream"], said(owner, "upstream")) == (State.FAILED, "Invalid API key")

    settings.UPSTREAM_KEY = right
    press(owner, "upstream")

    assert (stands(owner)["upstream"], said(owner, "upstream")) == (
        State.DONE,
        "the key is accepted, balance 1000.00 USD",
    )


def test_an_empty_account_upstream_is_said_and_keeps_nobody_from_opening(owner: Client, sandbox: Any) -> None:
    sandbox.set_balance("0.00")

    press(owner, "upstream")

    assert stands(owner)["upstream"] == State.DONE
    assert said(owner, "upstream") == "the key is accepted, but the balance is 0.00 USD"
    assert sync_begun_at() is not None


def test_a_sync_that_is_asked_for_is_on_the_trail_with_who_and_from_where(owner: Client) -> None:
    press(owner, "catalog", "sync")

    entry = TrailEntry.objects.latest("number")
    assert (entry.action, entry.actor, entry.address) == ("acted", "sam@example.com", "127.0.0.1")
    assert entry.after == {"page": "set_up", "posted": {"step": "catalog", "do": "sync"}}


def test_another_owner_goes_on_where_the_first_one_left(owner: Client, sandbox: Any, tom: User) -> None:
    name_the_shop(owner)
    press(owner, "upstream")

    assert said(owner, "staff").startswith("1 of 2 members of staff have no second factor")
    found = stands(at_the_admin(tom))  # which has one

    assert {name for name, state in found.items() if state == State.DONE} == {"staff", "store", "upstream"}


def test_a_missing_variable_is_named_with_what_to_write(owner: Client, settings: Any) -> None:
    settings.UPSTREAM_URL = settings.UPSTREAM_KEY = ""
    press(owner, "upstream")

    shown = owner.get(PAGE).content.decode()

    assert "UPSTREAM_URL is empty" in said(owner, "upstream")
    assert "The key that the supplier gave you." in shown
    assert 'type="password"' not in shown


def test_the_name_is_typed_on_the_page_and_a_mistake_stays_there(owner: Client) -> None:
    wrong = press(owner, "store", "save", seen=0, store_name="Corner shop", support_email="nobody")
    assert "Enter a valid email address." in wrong.content.decode()
    assert 'value="Corner shop"' in wrong.content.decode()
    assert stands(owner)["store"] == "todo"

    name_the_shop(owner)

    assert (STORE_NAME.value, stands(owner)["store"]) == ("Corner shop", State.DONE)


def test_the_markup_is_shown_on_real_prices_before_it_is_saved(owner: Client, service: Service) -> None:
    typed = {"default_markup_percent": "100", "floor_margin_percent": "5"}
    shown = owner.get(PRICES, typed).content.decode()

    assert "$1.50" in shown
    assert "$3.00" in shown
    assert "Instagram Followers, real" in shown
    assert "Enter a percentage" in owner.get(PRICES, {**typed, "default_markup_percent": "much"}).content.decode()
    assert not PreferenceChange.objects.exists()
    assert stands(owner)["markup"] == "todo"

    press(owner, "markup", "save", seen=0, **typed)

    assert (DEFAULT_MARKUP.value, stands(owner)["markup"]) == (100, State.DONE)


def test_ways_to_pay_are_tried_out(
    owner: Client, stripe_server: FakeStripe, btcpay_server: FakeBtcpay, settings: Any
) -> None:
    press(owner, "payments")
    well = said(owner, "payments")
    settings.BTCPAY_API_KEY = "wrong"
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    press(owner, "payments")
    wrong = said(owner, "payments")
    settings.STRIPE_WEBHOOK_SECRET = ""
    press(owner, "payments")

    assert well == "Card: the test key is accepted; Bitcoin: the server lets us into the store"
    assert wrong == "Card: Stripe: AuthenticationError 401; Bitcoin: BTCPay: HTTP 401"
    assert "Card is not offered, because STRIPE_WEBHOOK_SECRET is empty" in said(owner, "payments")
    assert {method for method, _path in (*stripe_server.calls, *btcpay_server.calls)} == {"GET"}


def test_a_test_mail_goes_to_the_owner_and_a_server_that_refuses_is_quoted(
    owner: Client, sam: User, settings: Any
) -> None:
    press(owner, "e-mail")
    assert [message.to for message in mail.outbox] == [[sam.email]]
    assert stands(owner)["e-mail"] == State.DONE

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    press(owner, "e-mail")

    assert stands(owner)["e-mail"] == State.FAILED
    assert "refused" in said(owner, "e-mail")


def test_a_mail_that_is_not_taken_fails_the_step(owner: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusesToSend"

    press(owner, "e-mail")

    assert said(owner, "e-mail") == "the test email to sam@example.com could not be sent: no relaying"


class RefusesToSend(mail.backends.base.BaseEmailBackend):
    """A server that lets us in and takes no mail."""

    def send_messages(self, messages: Any) -> int:
        raise OSError("no relaying")


def test_what_is_put_off_says_what_follows_and_what_must_be_cannot_be(owner: Client) -> None:
    press(owner, "payments", "skip")
    press(owner, "upstream", "skip")

    assert told(owner, PAGE) == ["The shop can't be opened without this."]
    assert stands(owner)["payments"] == State.SKIPPED
    assert stands(owner)["upstream"] == "todo"
    assert "You can still credit wallets by hand." in owner.get(PAGE).content.decode()
    entries = TrailEntry.objects.filter(after__set_up="payments").values_list("actor", "after__state")
    assert list(entries) == [("sam@example.com", "skipped")]


def test_the_first_sync_is_followed_while_it_runs(owner: Client) -> None:
    run = SyncRun.objects.create(kind=SyncRun.Kind.CATALOG)
    tell_of_progress(SyncRun.Kind.CATALOG)("subcategories", 3, 12)
    assert heard_of(SyncRun.Kind.SMS) is None

    moving = owner.get(SYNC).content.decode()
    SyncRun.objects.filter(pk=run.pk).update(status=SyncRun.Status.APPLIED, total=60)
    ended = owner.get(SYNC).content.decode()

    assert "every 2s" in moving
    assert "width: 25%" in moving
    assert "every 2s" not in ended
    assert "60 rows" in " ".join(ended.split())


def test_a_sync_that_was_asked_for_is_followed_before_a_worker_has_begun_it(owner: Client) -> None:
    assert "every 2s" not in owner.get(PAGE).content.decode()
    press(owner, "catalog", "sync")

    shown = owner.get(PAGE).content.decode()
    assert "every 2s" in shown
    assert "begins as soon as a worker has time" in shown
    for kind in (SyncRun.Kind.CATALOG, SyncRun.Kind.SMS):
        SyncRun.objects.create(kind=kind, status=SyncRun.Status.APPLIED)
    ended = owner.get(SYNC)

    assert "every 2s" not in ended.content.decode()
    assert ended["HX-Trigger"] == "set-up-synced"


def test_a_sync_that_failed_is_said(owner: Client) -> None:
    SyncRun.objects.create(kind=SyncRun.Kind.CATALOG, status=SyncRun.Status.FAILED, error="Upstream is down")

    assert said(owner, "catalog") == "the last sync brought nothing: Upstream is down"
    assert "Upstream is down" in owner.get(SYNC).content.decode()


# --- Opening ----------------------------------------------------------------------------------------------------------


def test_the_shop_does_not_open_before_all_is_settled(owner: Client) -> None:
    owner.post(PAGE, {"do": "open"})

    assert not SET_UP_DONE.value
    assert told(owner, PAGE)[0].startswith("Not yet: these steps are left: The machine, The shop's name, Supplier,")


def test_opening_lets_everybody_in_and_closes_the_page_for_good(
    owner: Client, service: Service, settings: Any, sandbox: Any
) -> None:
    settings.BEGINS_CLOSED = True
    assert Client().get("/").status_code == 503
    settle_all(owner, service)
    assert set(stands(owner).values()) == {State.DONE, State.SKIPPED}
    assert Client().get("/").status_code == 503

    assert owner.post(PAGE, {"do": "open"})["Location"] == HOME

    assert "The shop is open." in told(owner)
    assert Client().get("/").status_code == 200
    assert owner.get(PAGE)["Location"] == HOME
    assert press(owner, "payments")["Location"] == HOME
    assert [owner.get(address).status_code for address in (SYNC, PRICES)] == [404, 404]
    assert f'href="{PAGE}"' not in owner.get(HOME).content.decode()
    entry = TrailEntry.objects.filter(after__set_up_done=True).get()
    assert (entry.actor, entry.action) == ("sam@example.com", "changed")


def test_a_shop_that_was_closed_by_hand_meanwhile_opens_as_well(owner: Client, service: Service, sandbox: Any) -> None:
    settle_all(owner, service)
    prefer(WHOLE_SHOP.closed, True)
    assert WHOLE_SHOP.is_closed

    owner.post(PAGE, {"do": "open"})

    assert not WHOLE_SHOP.is_closed


def test_two_owners_who_open_at_once_open_once(owner: Client, service: Service, sandbox: Any, tom: User) -> None:
    other = at_the_admin(tom)
    settle_all(owner, service)
    owner.post(PAGE, {"do": "open"})

    assert other.post(PAGE, {"do": "open"})["Location"] == HOME
    assert PreferenceChange.objects.filter(name=SET_UP_DONE.name).count() == 1


def test_an_owner_who_was_slower_and_does_not_know_it_yet_opens_nothing(
    owner: Client, service: Service, sandbox: Any
) -> None:
    settle_all(owner, service)
    PreferenceChange.objects.create(name=SET_UP_DONE.name, after=True)  # by another process

    owner.post(PAGE, {"do": "open"})

    assert told(owner)[-1] == "The shop has been opened already."


def test_a_shop_that_strangers_cannot_reach_is_open_from_the_start(db: None) -> None:
    assert not WHOLE_SHOP.is_closed


# --- The same in the terminal -----------------------------------------------------------------------------------------


def doctor(part: str) -> str:
    output = StringIO()
    with suppress(SystemExit):
        call_command("doctor", "--only", part, stdout=output, no_color=True)
    return " ".join(output.getvalue().partition("→")[0].split())  # behind it stands what to do


def test_doctor_says_the_same_of_a_shop_that_strangers_can_reach(owner: Client, settings: Any) -> None:
    settings.SITE_URL = "https://shop.org"
    settings.UPSTREAM_KEY = settings.UPSTREAM_URL = ""

    for step, part in (("store", "store"), ("catalog", "catalog"), ("upstream", "upstream"), ("payments", "payments")):
        press(owner, step)
        assert doctor(part) == f"{part} TROUBLE {said(owner, step)}"
    press(owner, "payments", "skip")
    assert doctor("payments").startswith("payments ok none yet, as was decided at the set-up")


def test_every_step_asks_what_doctor_asks() -> None:
    assert {part for step in STEPS for part in step.parts} <= set(PARTS)
