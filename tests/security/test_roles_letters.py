"""What staff does with accounts by mail: a link instead of a password, an invitation, another address."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import EmailChange, TrailEntry, User
from accounts.rights import OWNER, SUPPORT
from accounts.security.reset_links import MOST_BY_ONE, MOST_TO_ONE, CannotSendLink, send_reset_link
from notifications.models import Letter
from tests.conftest import PASSWORD, customer
from tests.security.signing_in import is_signed_in, letters_to, link_in, sign_in
from tests.security.staff import at_the_admin, in_role, with_rights

pytestmark = pytest.mark.django_db
NEW = "quite another long password"


@pytest.fixture
def sue(db: None) -> User:
    """Support."""
    return in_role("sue@example.com", SUPPORT)


@pytest.fixture
def desk(sue: User) -> Client:
    """Support at the admin."""
    return at_the_admin(sue)


def send(desk: Client, user: User) -> list[str]:
    """Press the button; return what the next page says."""
    address = reverse("admin:accounts_user_send_link", args=[user.pk])
    answer = desk.post(address, {"_form_submitted": "True"}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def choose_password(link: str, words: str = NEW) -> None:
    """Follow the link of a letter, in a browser of one's own."""
    client = Client()
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": words, "password2": words})


def test_support_has_a_link_mailed_and_the_old_password_works_until_it_is_used(desk: Client, ann: User) -> None:
    said = send(desk, ann)

    [letter] = letters_to(ann.email)
    assert said == ["ann@example.com has been sent a link to set a new password."]
    assert User.objects.get(pk=ann.pk).check_password(PASSWORD)
    choose_password(link_in(letter))
    assert User.objects.get(pk=ann.pk).check_password(NEW)
    entry = TrailEntry.objects.filter(action="acted", target_id=str(ann.pk)).get()
    assert (entry.actor, entry.target) == ("sue@example.com", "ann@example.com")


def test_asking_alone_sends_nothing(desk: Client, ann: User) -> None:
    assert desk.get(reverse("admin:accounts_user_send_link", args=[ann.pk])).status_code == 200
    assert not Letter.objects.exists()


def test_the_letter_speaks_the_customers_language_and_names_no_staff(desk: Client, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(language="ru")

    send(desk, ann)

    [letter] = letters_to(ann.email)
    assert "пароль" in letter.lower()
    assert "sue@" not in letter


@pytest.mark.parametrize("role", ["a colleague", "an owner", "a superuser"])
def test_support_has_no_link_mailed_to_staff_and_owners_have(sue: User, tom: User, role: str) -> None:
    account = {"a colleague": customer("fin@example.com", is_staff=True), "a superuser": tom}.get(role)
    account = account or in_role("olga@example.com", OWNER)
    address = reverse("admin:accounts_user_send_link", args=[account.pk])

    assert at_the_admin(sue).post(address, {"_form_submitted": "True"}).status_code == 403
    assert not Letter.objects.exists()

    boss = customer("sam@example.com", is_staff=True, is_superuser=True)
    send(at_the_admin(boss), account)
    assert len(letters_to(account.email)) == 1


def test_who_may_only_look_at_customers_sends_no_link(ann: User) -> None:
    clerk = with_rights("clerk@example.com", "view_user")

    answer = at_the_admin(clerk).post(
        reverse("admin:accounts_user_send_link", args=[ann.pk]), {"_form_submitted": "True"}
    )

    assert (answer.status_code, Letter.objects.count()) == (403, 0)


def test_an_account_gets_three_links_an_hour_whoever_sends_them(desk: Client, sam: User, ann: User) -> None:
    enough = ["This account has been sent enough links. Try again in an hour."]
    for _time in range(MOST_TO_ONE):
        assert send(desk, ann) != enough

    assert send(desk, ann) == enough
    assert send(at_the_admin(sam), ann) == enough
    assert Letter.objects.count() == MOST_TO_ONE


def test_a_member_of_staff_sends_so_many_an_hour_and_more_in_the_next(desk: Client, sue: User) -> None:
    for number in range(MOST_BY_ONE // MOST_TO_ONE):
        one = User.objects.create_user(f"customer{number}@example.com")
        for _time in range(MOST_TO_ONE):
            send(desk, one)
    another = User.objects.create_user("another@example.com")

    assert send(desk, another) == ["You have sent enough links. Try again in an hour."]
    assert Letter.objects.count() == MOST_BY_ONE
    request = desk.get(reverse("admin:index")).wsgi_request
    with request_context(request):
        send_reset_link(another, by=sue, request=request, now=timezone.now() + timedelta(hours=1, minutes=5))
    assert Letter.objects.count() == MOST_BY_ONE + 1


def test_an_account_that_is_switched_off_gets_no_link(desk: Client, sue: User, ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert send(desk, ann) == ["This account is switched off: nobody can sign in to it."]
    assert not Letter.objects.exists()
    with pytest.raises(CannotSendLink):
        send_reset_link(ann, by=sue, request=desk.get("/").wsgi_request, now=timezone.now())


def test_somebody_whom_staff_made_an_account_chooses_the_password(sam: User) -> None:
    form = {"email": "New@Example.com", "password1": NEW, "password2": NEW, "is_staff": "on", "is_superuser": "on"}

    at_the_admin(sam).post(reverse("admin:accounts_user_add"), form)

    user = User.objects.get(email="new@example.com")
    assert (user.has_usable_password(), user.is_staff, user.is_superuser) == (False, False, False)
    [letter] = letters_to("new@example.com")
    assert "We have made an account for you." in letter
    choose_password(link_in(letter))
    assert User.objects.get(pk=user.pk).check_password(NEW)


def test_an_owner_moves_an_account_and_the_old_address_takes_it_back(sam: User, ann: User) -> None:
    boss = at_the_admin(in_role("olga@example.com", OWNER))
    at_home = Client()
    sign_in(at_home, ann)

    address = reverse("admin:accounts_user_change", args=[ann.pk])
    boss.post(address, {"email": "eve@example.com", "is_active": "on"}, REMOTE_ADDR="203.0.113.77")

    assert User.objects.get(pk=ann.pk).email == "eve@example.com"
    [told] = letters_to("eve@example.com")
    [back] = letters_to("ann@example.com")
    assert all("from ann@example.com to eve@example.com" in letter for letter in (told, back))
    assert not any("203.0.113.77" in letter or "olga" in letter for letter in (told, back))
    assert "undo" not in told
    at_home.post(link_in(back))
    ann.refresh_from_db()
    assert (ann.email, ann.has_usable_password(), is_signed_in(at_home)) == ("ann@example.com", False, False)
    assert EmailAddress.objects.get(user=ann).email == "ann@example.com"


def test_a_form_that_leaves_the_address_alone_writes_no_letter(sam: User, ann: User) -> None:
    address = reverse("admin:accounts_user_change", args=[ann.pk])

    at_the_admin(sam).post(address, {"email": "ANN@example.com", "is_active": "on"})

    assert (EmailChange.objects.count(), Letter.objects.count()) == (0, 0)
    assert EmailAddress.objects.get(user=ann).verified
