"""Guessing is stopped; strangers who guess do not lock the owner out; and all of it holds while Redis is away."""

import threading
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import encrypt
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import network_of
from accounts.models import KnownNetwork, User, WrongTry
from accounts.security import wrong_tries
from orders.models import Coupon
from storefront.web import cache as shop_cache
from tests.conftest import PASSWORD
from tests.pages import page_words
from tests.security.signing_in import is_signed_in, sign_in

pytestmark = pytest.mark.django_db
HOME = "198.51.100.7"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def no_redis(settings):
    shop_cache._of_this_process.clear()
    default = settings.CACHES["default"]
    settings.CACHES = {"default": {**default, "LOCATION": "redis://127.0.0.1:9/0"}}
    yield
    shop_cache._of_this_process.clear()


@pytest.fixture(params=["with Redis", "without Redis"])
def with_and_without_redis(request):
    if request.param == "without Redis":
        request.getfixturevalue("no_redis")


def guess(user, *, times, address):
    return [page_words(sign_in(Client(), user, password="guessed", address=address)) for _guess in range(times)]


def test_a_guesser_is_stopped_even_with_the_right_password(ann, with_and_without_redis):
    pages = guess(ann, times=6, address="203.0.113.9")

    assert ["Too many" in page for page in pages] == [False] * 5 + [True]
    assert "Too many" in page_words(sign_in(Client(), ann, address="203.0.113.200"))  # the same network
    WrongTry.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert sign_in(Client(), ann, address="203.0.113.9").status_code == 302


def test_an_owner_is_not_locked_out_by_strangers_all_over_the_world(ann, settings):
    owner = Client()
    sign_in(owner, ann, address=HOME)
    for number in range(11):
        guess(ann, times=5, address=f"203.0.{number}.9")

    from_nowhere = sign_in(Client(), ann, address="192.0.2.1")
    assert "Too many" in page_words(from_nowhere)  # a stranger, however right
    back = Client()
    assert sign_in(back, ann, address="198.51.100.99").status_code == 302
    assert is_signed_in(back)


def test_a_network_full_of_guessers_locks_out_nobody_who_is_known_there(ann, ben):
    sign_in(Client(), ann, address=HOME)
    for number in range(13):
        nobody = User(email=f"nobody{number}@example.com")
        guess(nobody, times=5, address=HOME)

    assert "Too many" in page_words(sign_in(Client(), ben, address=HOME))
    assert sign_in(Client(), ann, address=HOME).status_code == 302


def test_wrong_passwords_of_one_do_not_lock_a_neighbor(ann, ben):
    guess(ann, times=35, address=HOME)

    assert sign_in(Client(), ben, address=HOME).status_code == 302


def test_a_whole_ipv6_network_is_one_guesser(ann):
    pages = [page for number in range(6) for page in guess(ann, times=1, address=f"2001:db8:1:2::{number}")]

    assert ["Too many" in page for page in pages] == [False] * 5 + [True]
    assert network_of("2001:db8:1:2::5") == "2001:db8:1:2::/64"
    assert network_of("::ffff:192.0.2.9") == network_of("192.0.2.1") == "192.0.2.0/24"


def test_a_right_password_is_not_counted_and_a_refused_one_neither(ann):
    for _sign_in in range(3):
        sign_in(Client(), ann, address=HOME)
    assert WrongTry.objects.count() == 0

    guess(ann, times=9, address=HOME)
    assert WrongTry.objects.count() == 5


def test_a_new_password_by_mail_lets_the_owner_in_at_once(ann, client):
    guess(ann, times=6, address=HOME)

    from tests.security.signing_in import letters_to, link_in

    client.post(reverse("account_reset_password"), {"email": ann.email})
    [letter] = letters_to(ann.email)
    form = client.get(link_in(letter), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "quite another secret", "password2": "quite another secret"})

    assert sign_in(Client(), ann, password="quite another secret", address=HOME).status_code == 302


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_one_after_the_other():
    begun = []

    def begin():
        try:
            begun.append(wrong_tries.begin_sign_in("ann@example.com", "192.0.2.0/24"))
        except wrong_tries.TooManyWrongTries:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _guess in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(begun) <= wrong_tries.PAIR_LIMIT


def test_a_stolen_session_does_not_find_the_password_by_trying(ann, with_and_without_redis):
    thief = Client()
    sign_in(thief, ann, address=HOME)
    new = {"password1": "quite another secret", "password2": "quite another secret"}

    for number in range(3):
        thief.post("/accounts/reauthenticate/", {"password": f"guess {number}"}, REMOTE_ADDR=HOME)
    for number in range(3):
        thief.post(reverse("account_change_password"), {"oldpassword": f"guess {number}", **new}, REMOTE_ADDR=HOME)
    page = thief.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new}, REMOTE_ADDR=HOME)

    assert "Too many" in page_words(page)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_second_factors_are_not_guessed(ann, with_and_without_redis):
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)})
    browser = Client()
    sign_in(browser, ann, address=HOME)

    pages = [browser.post(reverse("mfa_authenticate"), {"code": f"{n:06d}"}) for n in range(7)]

    assert ["Too many" in page_words(page) for page in pages] == [False] * 5 + [True] * 2
    assert not is_signed_in(browser)


def test_a_code_of_an_app_opens_once(ann, with_and_without_redis):
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)})
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser, ann, address=HOME)
    code = format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))

    for browser in (first, second):
        browser.post(reverse("mfa_authenticate"), {"code": code})

    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_reset_mails_are_limited(ann, with_and_without_redis):
    answers = [
        Client().post(reverse("account_reset_password"), {"email": ann.email}, REMOTE_ADDR=f"203.0.{n}.9").status_code
        for n in range(6)
    ]

    assert answers == [302] * 5 + [429]


def test_coupons_are_not_guessed(ann, client, service, no_redis):
    Coupon.objects.create(code="SECRET1", percent=10)
    client.force_login(ann)
    form = reverse("orders:place", args=[service.pk])

    def ask(code):
        return page_words(client.get(form, {"quantity": 100, "coupon": code}, headers={"HX-Request": "true"}))

    assert "doesn't exist" in ask("GUESS0")
    for number in range(1, wrong_tries.COUPON_LIMIT):
        ask(f"GUESS{number}")

    assert "too many coupons" in ask("SECRET1")


def test_networks_are_known_after_the_second_factor_and_not_before(ann):
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)})
    sign_in(Client(), ann, password=PASSWORD, address=HOME)

    assert KnownNetwork.objects.count() == 0
