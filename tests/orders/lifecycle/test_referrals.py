"""What bringing a customer earns: a share of what an order really left, once, and only when it is final."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.final_margin import Left
from orders.lifecycle.referrals import credit_referrals
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import Order, OrderEvent, ReferralEarning, Status
from orders.tasks import credit_referrals as task
from tests.clock import stopped_at
from tests.conftest import customer
from tests.orders.attention import Flag, flag
from tests.orders.couponing import balance, coupon
from tests.pages import page_words
from wallet.models import LedgerEntry
from wallet.operations import wallet_of

pytestmark = pytest.mark.sqlite

State = ReferralEarning.State
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def on(settings):
    settings.REFERRAL_PERCENT = Decimal(20)
    settings.LATE_CHANGE_DAYS = 7


@pytest.fixture
def rita(db) -> User:
    """She has referred Ann."""
    return customer("rita@example.com")


@pytest.fixture
def ann(rita) -> User:
    user = customer("ann@example.com", money="100.00")
    user.referred_by = rita
    user.save(update_fields=["referred_by"])
    return user


def finish(order: Order, **fields) -> Order:
    """Finish the order a week ago: it cost 1.50 and was sold for 1.875."""
    values = {"status": Status.COMPLETED, "finished_at": timezone.now() - WEEK, "charge_upstream_micros": 1_500_000}
    Order.objects.filter(pk=order.pk).update(**{**values, **fields})
    ReferralEarning.objects.filter(order=order).update(due_at=timezone.now())
    return Order.objects.get(pk=order.pk)


def earned(order: Order) -> tuple[str, int]:
    return ReferralEarning.objects.values_list("state", "amount_micros").get(order=order)


# --- The arithmetic -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kept", "cost", "percent", "floor", "share"),
    [
        (1_875_000, 1_500_000, "20", "0", 75_000),
        (1_875_000, 1_500_000, "33.33", "0", 124_900),  # 0.1249875
        (1_875_000, 1_500_000, "100", "0", 375_000),
        (1_875_000, 1_500_000, "100", "10", 225_000),  # 1.65 stays
        (1_875_000, 1_500_000, "50", "25", 0),
        (1_500_000, 1_500_000, "50", "0", 0),
        (1_400_000, 1_500_000, "50", "0", 0),  # sold at a loss
        (100_000, 0, "10", "0", 10_000),
    ],
)
def test_share_of_the_margin_leaves_the_floor_margin_with_the_shop(kept, cost, percent, floor, share):
    given_away = Left(kept, cost, Decimal(floor)).share_micros(Decimal(percent))

    assert given_away == share


@given(
    kept=st.integers(0, 10**10),
    cost=st.integers(0, 10**10),
    percent=st.decimals(0, 100, places=2),
    floor=st.decimals(0, 100, places=2),
)
def test_share_of_any_margin_is_never_more_than_promised_nor_than_what_the_floor_leaves(kept, cost, percent, floor):
    share = Left(kept, cost, floor).share_micros(percent)

    assert share >= 0
    assert share % 100 == 0
    promised = (kept - cost) * Fraction(percent) / 100
    room = kept - cost * (1 + Fraction(floor) / 100)
    assert share == 0 or share <= min(promised, room)
    assert share > min(promised, room) - 100 or share == 0


# --- The row --------------------------------------------------------------------------------------------------------
def test_place_order_of_somebody_who_was_referred_opens_an_earning(place, ann, rita):
    order = place()

    earning = ReferralEarning.objects.get()
    assert (earning.order, earning.referrer, earning.state, earning.percent) == (order, rita, State.WAITING, 20)
    assert earning.due_at == order.created_at + WEEK


def test_place_order_opens_no_earning_where_none_was_promised(place, ann, ben, settings):
    place(user=ben, link="https://example.com/ben")  # referred by nobody
    settings.REFERRAL_PERCENT = Decimal(0)
    place(link="https://example.com/off")
    settings.REFERRAL_PERCENT = Decimal(20)
    ann.date_joined = timezone.now() - timedelta(days=365)
    place(link="https://example.com/late")

    assert ReferralEarning.objects.count() == 0
    ann.date_joined = timezone.now() - timedelta(days=364)
    place(link="https://example.com/just")
    assert ReferralEarning.objects.count() == 1


# --- The credit -----------------------------------------------------------------------------------------------------
def test_credit_referrals_of_a_final_order_credits_the_share_promised_then_once(place, rita, settings):
    order = finish(place())
    settings.REFERRAL_PERCENT = Decimal(1)

    assert credit_referrals(now=timezone.now()) == 1
    task()

    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.REFERRAL)
    assert (entry.wallet.user, entry.amount_micros) == (rita, 75_000)
    assert (entry.reference, entry.note) == (f"order:{order.pk}:referral", "")
    assert (earned(order), balance(rita)) == ((State.CREDITED, 75_000), 75_000)
    assert audit(client=None, now=timezone.now()).problems == []


def test_credit_referrals_from_placing_to_the_end_by_the_suppliers_own_words(place, rita, client_upstream, sandbox):
    order = place()
    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    sandbox.set_order(order.upstream_id, status="Completed")
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(hours=1)))

    for days, credited in ((6.9, 0), (7.1, 0)):
        assert credit_referrals(now=timezone.now() + timedelta(days=days)) == credited
    while (due := Order.objects.get(pk=order.pk).next_poll_at) is not None:
        poll_due(kind="service", client=client_upstream, clock=stopped_at(due))
    for days, credited in ((7.6, 1), (7.7, 0)):
        assert credit_referrals(now=timezone.now() + timedelta(days=days)) == credited

    assert balance(rita) == 75_000


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ({"charge_upstream_micros": 1_200_000}, 135_000),  # it cost less than expected
        ({"charge_upstream_micros": 1_800_000}, 15_000),
        ({"charge_upstream_micros": None}, 75_000),  # never named: the expected cost counts
        ({"charge_upstream_micros": 0}, 75_000),
        ({"exchange_rate_micros": 1_200_000}, 15_000),  # 1.80 in the shop's currency
        ({"status": Status.PARTIAL, "refunded_micros": 468_700, "charge_upstream_micros": 1_125_000}, 56_200),
    ],
)
def test_credit_referrals_goes_by_what_was_kept_and_what_it_really_cost(place, fields, share):
    order = finish(place(), **fields)

    credit_referrals(now=timezone.now())

    assert earned(order) == (State.CREDITED, share)


def test_credit_referrals_of_a_sale_with_a_coupon_goes_by_the_net_price(place):
    coupon()

    order = finish(place(coupon="SPRING"))
    credit_referrals(now=timezone.now())

    assert order.price_micros == 1_687_500
    assert earned(order) == (State.CREDITED, 37_500)


def test_credit_referrals_leaves_the_floor_margin_that_the_order_was_priced_with(place, settings):
    settings.REFERRAL_PERCENT = Decimal(100)
    settings.FLOOR_MARGIN_PERCENT = Decimal(20)
    order = finish(place())
    settings.FLOOR_MARGIN_PERCENT = Decimal(0)

    credit_referrals(now=timezone.now())

    assert earned(order) == (State.CREDITED, 75_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"charge_upstream_micros": 1_875_000},
        {"charge_upstream_micros": 2_500_000},
        {"refunded_micros": 375_000},
        {"status": Status.FAILED},
        {"status": Status.CANCELED, "refunded_micros": 1_875_000},
    ],
)
def test_credit_referrals_where_nothing_was_left_closes_the_earning(place, rita, fields):
    order = finish(place(), **fields)

    assert credit_referrals(now=timezone.now()) == 0
    assert earned(order) == (State.VOID, 0)
    assert wallet_of(rita).balance_micros == 0
    finish(order)
    assert credit_referrals(now=timezone.now()) == 0


def test_credit_referrals_of_an_order_that_was_bought_twice_earns_nothing(place):
    order = finish(place())
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.LOSS, status=order.status)

    credit_referrals(now=timezone.now())

    assert earned(order) == (State.VOID, 0)


def test_credit_referrals_of_an_order_canceled_before_it_was_sent_earns_nothing(place, ann):
    order = place()
    cancel_unsent(order.pk, user=ann, now=timezone.now())

    credit_referrals(now=timezone.now() + WEEK)

    assert earned(order) == (State.VOID, 0)


@pytest.mark.parametrize(
    ("fields", "hours"),
    [
        ({"status": Status.IN_PROGRESS, "finished_at": None}, 24),
        ({"status": Status.UNKNOWN, "finished_at": None}, 24),
        ({"flag": Flag.CHANGED_LATE}, 24),
        ({"finished_at": WEEK - timedelta(hours=5)}, 5),  # that long ago
    ],
)
def test_credit_referrals_of_what_may_still_change_looks_again_later(place, fields, hours):
    if ago := fields.get("finished_at"):
        fields = {"finished_at": timezone.now() - ago}
    code = fields.get("flag")
    order = finish(place(), **{name: value for name, value in fields.items() if name != "flag"})
    if code:
        flag(order, code, before=Status.COMPLETED, word="Partial")

    assert credit_referrals(now=timezone.now()) == 0

    earning = ReferralEarning.objects.get(order=order)
    assert earning.state == State.WAITING
    assert abs(earning.due_at - timezone.now() - timedelta(hours=hours)) < timedelta(minutes=5)


def test_credit_referrals_when_one_cannot_be_settled_settles_the_others(place, rita, ben):
    bad, good = finish(place()), finish(place(link="https://example.com/2"))
    Order.objects.filter(pk=bad.pk).update(pricing={"floor_percent": "much"})

    assert credit_referrals(now=timezone.now()) == 1
    assert (earned(bad)[0], earned(good)[0]) == (State.WAITING, State.CREDITED)


@pytest.mark.parametrize("fields", [{"state": "credited"}, {"state": "void", "amount_micros": 5}, {"amount_micros": 5}])
def test_the_database_itself_refuses_an_earning_that_is_neither_credited_nor_nothing(place, fields):
    place()

    with pytest.raises(IntegrityError), transaction.atomic():
        ReferralEarning.objects.update(**fields)


@pytest.mark.django_db(transaction=True)
def test_credit_referrals_by_many_workers_at_once_credits_once_each(service):
    from catalog.models import Service
    from orders.placing.place import place_order

    rita, ann = customer("rita@example.com"), customer("ann@example.com", money="100.00")
    User.objects.filter(pk=ann.pk).update(referred_by=rita)
    ann.refresh_from_db()
    bought = Service.objects.select_related("category").get(pk=service.pk)
    for number in range(5):
        common = {"user": ann, "service": bought, "quantity": 1000, "link": "https://example.com/p"}
        finish(place_order(**common, request_id=str(number), now=timezone.now()))

    def work(_number: int) -> int:
        try:
            return credit_referrals(now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        credited = sum(threads.map(work, range(6)))

    assert (credited, balance(rita)) == (5, 375_000)
    assert audit(client=None, now=timezone.now()).problems == []


# --- The page -------------------------------------------------------------------------------------------------------
@pytest.fixture
def ritas(client, rita):
    """Rita's browser."""
    client.force_login(rita)
    return client


def test_referrals_page_shows_the_link_and_what_was_earned_but_not_by_whom(ritas, rita, place, settings):
    settings.SITE_URL = "https://shop.example.com"
    credited, waiting = finish(place()), place(link="https://example.com/2")
    credit_referrals(now=timezone.now())

    answer = ritas.get(reverse("orders:referrals"))

    rita.refresh_from_db()
    words = page_words(answer)
    assert f"https://shop.example.com/ref/{rita.referral_code}/" in words
    assert "you get 20% of what the shop earns" in words
    assert "Earned so far $0.075" in words
    assert "Customers referred 1" in words
    assert "Orders not final yet 1" in words
    assert [(row["state"], row["amount_micros"]) for row in answer.context["rows"]] == [
        ("waiting", 0),
        ("credited", 75_000),
    ]
    for told in ("ann@example.com", "Followers", f"#{credited.pk}", f"#{waiting.pk}", "instagram.com"):
        assert told not in words


def test_wallet_page_shows_the_credit_without_leading_to_the_order(ritas, place):
    order = finish(place())
    credit_referrals(now=timezone.now())

    page = ritas.get(reverse("wallet:home")).content.decode()

    assert "Referral" in page
    assert reverse("orders:detail", args=[order.pk]) not in page


def test_referrals_page_of_a_shop_that_pays_none_is_not_there_but_for_whoever_has_earned(ritas, place, settings, ben):
    order = place()
    settings.REFERRAL_PERCENT = Decimal(0)

    words = page_words(ritas.get(reverse("orders:referrals")))
    assert "Referrals don't earn anything new right now." in words
    assert "/ref/" not in words
    ReferralEarning.objects.filter(order=order).delete()
    assert ritas.get(reverse("orders:referrals")).status_code == 404
    assert reverse("orders:referrals") not in ritas.get(reverse("account")).content.decode()

    settings.REFERRAL_PERCENT = Decimal(5)
    assert reverse("orders:referrals") in ritas.get(reverse("account")).content.decode()


def test_referrals_page_for_a_visitor_leads_to_sign_in(client):
    assert client.get(reverse("orders:referrals")).url.startswith(reverse("account_login"))


@pytest.mark.parametrize("count", [1, 3])
def test_referrals_page_needs_the_same_queries_for_any_number_of_rows(ritas, place, count, django_assert_num_queries):
    for number in range(count):
        place(link=f"https://example.com/{number}")
    ritas.get(reverse("orders:referrals"))

    with django_assert_num_queries(7):  # session, user, sums, people, count, rows, the wallet in the header
        ritas.get(reverse("orders:referrals"))
