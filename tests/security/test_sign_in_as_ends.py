"""A visit of support leaves no trace of a sign-in, ends in time, and is known of."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import SupportVisit, User
from api.webhooks.operations import add_webhook
from tests.conftest import customer
from tests.pages import HTMX, page_words
from tests.security.signing_in import letters_to
from tests.security.visiting import END, REASON, begin, entries, is_looking

pytestmark = pytest.mark.django_db


# --- What it is not ---------------------------------------------------------------------------------------------------
def test_it_does_not_count_as_the_customers_presence(desk, ann):
    User.objects.filter(pk=ann.pk).update(last_login=None)
    heard = []
    user_logged_in.connect(hear := lambda user, **_rest: heard.append(user))
    begin(desk, ann)
    for address in ("/", reverse("account"), reverse("orders:list")):
        desk.get(address)
    desk.post(END)
    user_logged_in.disconnect(hear)

    ann.refresh_from_db()
    assert (ann.last_login, heard) == (None, [])
    assert UserSession.objects.filter(user=ann).count() == 0
    assert ann.known_networks.count() == 0
    assert len(letters_to("ann@example.com")) == 1  # the one about the visit


def test_it_does_not_make_staffs_confirmation_the_customers(visit, ann):
    _hook, secret = add_webhook(user=ann, url="https://ann.example.com/hook")

    answer = visit.get(reverse("api:webhook", args=[ann.webhooks.get().pk]))

    assert answer.status_code == 403
    assert secret not in answer.content.decode()


# --- How it ends ------------------------------------------------------------------------------------------------------
def test_it_ends_with_a_press_and_leads_back_to_the_customers_page(visit, ann, sue):
    answer = visit.post(END)

    assert answer["Location"] == f"/admin/accounts/user/{ann.pk}/change/"
    page = visit.get(answer["Location"])
    assert (page.status_code, page.context["user"]) == (200, sue)
    assert not is_looking(visit)
    assert SupportVisit.objects.get().ended_at is not None


def test_it_ends_by_itself_after_half_an_hour(visit, ann, sue):
    _began(visit, minutes=29)
    assert is_looking(visit)
    _began(visit, minutes=31)

    answer = visit.get(reverse("orders:list"))

    assert answer["Location"] == f"/admin/accounts/user/{ann.pk}/change/"
    assert not is_looking(visit)
    assert visit.get("/").context["user"] == sue
    assert entries("left_signed_in_as")[-1].after["why"] == "Half an hour is over."


def test_what_was_pressed_when_it_had_ended_is_not_done_as_staff(visit, sue):
    _began(visit, minutes=31)

    visit.post(reverse("account"), {"wants_price_mail": "on"})

    sue.refresh_from_db()
    assert not sue.wants_price_mail
    assert not is_looking(visit)


def test_a_part_that_asks_again_leads_the_whole_page_back(visit):
    _began(visit, minutes=31)

    answer = visit.get(reverse("orders:list"), headers=HTMX)

    assert answer["HX-Redirect"].startswith("/admin/")


def _began(browser: Client, *, minutes: int) -> None:
    session = browser.session
    session["signed_in_as"]["since"] = (timezone.now() - timedelta(minutes=minutes)).timestamp()
    session.save()


@pytest.mark.parametrize("what", ["the right", "staff", "active", "setting", "customer_staff", "customer_inactive"])
def test_it_ends_when_what_it_rests_on_is_gone(visit, ann, sue, settings, what):
    match what:
        case "the right":
            sue.user_permissions.clear()
        case "staff":
            User.objects.filter(pk=sue.pk).update(is_staff=False)
        case "active":
            User.objects.filter(pk=sue.pk).update(is_active=False)
        case "setting":
            settings.SIGN_IN_AS = False
        case "customer_staff":
            User.objects.filter(pk=ann.pk).update(is_staff=True)
        case "customer_inactive":
            User.objects.filter(pk=ann.pk).update(is_active=False)

    answer = visit.get(reverse("orders:list"))

    assert answer.status_code == 302
    assert "ann@example.com" not in visit.get("/").content.decode()
    assert SupportVisit.objects.get().ended_at is not None
    [left] = entries("left_signed_in_as")
    assert (left.actor, left.target) == ("sue@example.com", "ann@example.com")


def test_a_page_slower_than_the_end_does_not_bring_the_visit_back(visit):
    before = {name: visit.session[name] for name in ("signed_in_as", "hijack_history")}
    visit.post(END)
    session = visit.session
    session.update(before)
    session.save()

    assert visit.get(reverse("orders:list")).status_code == 302
    assert not is_looking(visit)
    assert len(entries("left_signed_in_as")) == 1


def test_it_ends_with_staffs_session(visit, sue):
    sue.set_password("another password altogether")
    sue.save()

    assert visit.get(reverse("orders:list")).status_code == 302
    assert visit.get("/").context["user"].is_anonymous


def test_an_idle_session_of_staff_takes_the_visit_with_it(visit, settings):
    session = visit.session
    session["seen_at"] = session["signed_in_at"] = 1.0
    session.save()

    assert visit.get(reverse("orders:list"))["Location"].startswith("/accounts/login/")
    assert SupportVisit.objects.get().ended_at is not None
    assert [entry.after["why"] for entry in entries("left_signed_in_as")] == ["signed out"]


def test_a_visit_that_copies_page_after_page_ends(visit, monkeypatch):
    monkeypatch.setattr("accounts.sign_in_as.visits.MOST_PAGES", 3)
    for number in range(3):
        visit.get(f"/nowhere/{number}/")

    assert visit.get(reverse("orders:list")).status_code == 302
    assert not is_looking(visit)


# --- Who knows of it --------------------------------------------------------------------------------------------------
def test_a_visit_that_turns_the_pages_of_a_list_ends(visit, monkeypatch):
    """Each of them shows other rows; a part that only asks whether anything is new is none."""
    monkeypatch.setattr("accounts.sign_in_as.visits.MOST_PAGES", 3)
    orders = reverse("orders:list")

    for seen in "abcdef":
        assert visit.get(orders, {"seen": seen}, headers=HTMX).status_code == 200
    pages = [visit.get(orders, {"page": number}).status_code for number in range(1, 4)]

    assert pages == [200, 200, 302]
    assert not is_looking(visit)
    looked = [entry.after["page"] for entry in entries("signed_in_as") if "page" in entry.after]
    assert looked == [orders]


def test_the_trail_has_the_reason_each_page_once_and_the_end(visit, ann):
    for address in ("/orders/", "/orders/", "/orders/?q=x", "/wallet/", "/account/security/"):
        visit.get(address)
    visit.post(END)

    said = [entry.after for entry in entries("signed_in_as")]
    assert said == [
        {"reason": REASON},
        {"page": "/orders/"},
        {"page": "/wallet/"},
        {"refused": "/account/security/"},
    ]
    [left] = entries("left_signed_in_as")
    assert left.after == {"why": "ended", "pages": 3}
    for entry in [*entries("signed_in_as"), left]:
        assert (entry.actor, entry.target, entry.address) == ("sue@example.com", "ann@example.com", "127.0.0.1")


def test_the_customer_is_told_on_their_page_and_by_mail_without_names(visit, ann):
    visit.post(END)
    begin(visit, ann, reason="Once more, the refund")
    visit.post(END)
    hers = Client()
    hers.force_login(ann)

    page = page_words(hers.get(reverse("account_security")))

    assert "The shop's support" in page
    assert REASON in page
    assert "Once more, the refund" in page
    [letter] = letters_to("ann@example.com")
    assert REASON in letter
    assert "/account/security/" in letter
    for text in (page, letter):
        assert "sue@" not in text
    assert "127.0.0.1" not in letter
    other = Client()
    other.force_login(customer("new@example.com"))
    assert REASON not in page_words(other.get(reverse("account_security")))


def test_a_day_later_another_mail_is_sent(visit, ann):
    visit.post(END)
    SupportVisit.objects.update(began_at=timezone.now() - timedelta(hours=25))

    begin(visit, ann, reason="The next day")

    assert len(letters_to("ann@example.com")) == 2


def test_the_letter_is_in_the_customers_language(desk, ann):
    User.objects.filter(pk=ann.pk).update(language="ru")

    begin(desk, ann)

    [letter] = letters_to("ann@example.com")
    assert "Hello from" not in letter
    assert "Здравствуйте" in letter
