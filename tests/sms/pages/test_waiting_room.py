"""The customer's own numbers: what the pages show of them, and what their buttons do."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Status
from orders.placing.refusals import OrderRefused
from sms.models import Country, ForbiddenWord, Number, Project, ReplacementRule, Site, SuccessRate
from sms.operations import cancel_number
from sms.policy import save_word
from tests.pages import HTMX, hidden, page_words

pytestmark = pytest.mark.django_db(transaction=True)
WAITING, HISTORY = "/sms/numbers/", "/sms/numbers/history/"
PRICE = 625_000


@pytest.fixture(autouse=True)
def _long_lives(sandbox: Any) -> None:
    sandbox.set(number_lifetime_seconds=1200)


@pytest.fixture
def shop(client: Any, ann: Any) -> Any:
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client


@pytest.fixture
def ripe(waiting_number: Order) -> Order:
    """A number that has waited for three minutes."""
    Order.objects.filter(pk=waiting_number.pk).update(sent_at=timezone.now() - timedelta(minutes=3))
    return waiting_number


def press(shop: Any, name: str, order: Order, **typed: Any) -> str:
    """Post to one of a number's addresses and return what the page says then."""
    response = shop.post(reverse(f"sms:{name}", args=[order.pk]), typed, follow=True)
    return page_words(response) if response.status_code == 200 else str(response.status_code)


def test_waiting_shows_the_number_in_both_forms_to_copy(shop, waiting_number):
    Country.objects.update(dial_code="+44")
    Number.objects.update(phone="7400123456")

    page = shop.get(WAITING).content.decode()

    for shown, copied in (("+44 7400 123456", "+447400123456"), ("07400 123456", "07400123456")):
        assert f"<span>{shown}</span>" in page
        assert f'data-copy="{copied}"' in page


def test_waiting_shows_a_number_of_odd_text_as_it_is(shop, waiting_number):
    Number.objects.update(phone="<ask support>")

    page = shop.get(WAITING).content.decode()

    assert "<span>&lt;ask support&gt;</span>" in page
    assert "National" not in page


def test_waiting_folds_away_what_is_done_unless_its_reader_is_at_it(shop, waiting_number):
    received_at = timezone.now() - timedelta(minutes=9)
    Order.objects.update(status=Status.COMPLETED, finished_at=received_at)
    Number.objects.update(state=Number.State.RECEIVED, code="482913", received_at=received_at)
    young = shop.get(WAITING)
    assert "finished" not in page_words(young)

    Number.objects.update(received_at=timezone.now() - timedelta(minutes=11))
    asked = {"seen": re.search(r'"seen": "(\w+)"', young.content.decode())[1]}
    at_it = shop.get(WAITING, asked, headers={**HTMX, "Number-In-Use": str(waiting_number.pk)})
    left = shop.get(WAITING, asked, headers=HTMX)

    assert "1 finished number" not in page_words(at_it)
    assert "1 finished number" in page_words(left)
    assert "482913" in page_words(left)


def test_waiting_offers_the_button_that_replaces_with_how_often_codes_came(shop, ripe, settings):
    SuccessRate.objects.create(project=ripe.number.project, observed=50, received=47, counted_at=timezone.now())

    assert "you never pay twice for one code. 94% success" in page_words(shop.get(WAITING))


def test_a_number_given_up_says_so_on_its_card_and_in_the_history(shop, waiting_number):
    cancel_number(waiting_number.pk, user=waiting_number.user)
    for page in (WAITING, HISTORY, reverse("orders:detail", args=[waiting_number.pk])):
        assert "Canceled by you" in page_words(shop.get(page)), page
        assert "Waiting for the code Price" not in page_words(shop.get(page)), page

    Order.objects.update(status=Status.CANCELED, refunded_micros=PRICE, finished_at=timezone.now())
    Number.objects.update(state=Number.State.CANCELED)

    said = page_words(shop.get(WAITING))
    assert "You canceled this number before a code arrived. $0.625 has been refunded to your balance." in said
    assert "Canceled by you" in page_words(shop.get(HISTORY))


def test_a_number_that_was_replaced_says_so(shop, ripe):
    page = shop.get(WAITING)
    press(
        shop, "replace", ripe, **{name: hidden(page, name) for name in ("project", "shown_price_micros", "request_id")}
    )

    assert "No code arrived, and another number took its place. $0.625 has been refunded" in page_words(
        shop.get(WAITING)
    )
    assert "Replaced" in page_words(shop.get(HISTORY))


def test_waiting_when_nothing_changed_asks_for_no_prices(shop, ripe, django_assert_num_queries):
    seen = re.search(r'"seen": "(\w+)"', shop.get(WAITING).content.decode())[1]

    with django_assert_num_queries(3):  # session, user, numbers
        response = shop.get(WAITING, {"seen": seen}, headers=HTMX)

    assert response.status_code == 204


def test_waiting_offers_a_replacement_once_the_number_has_waited_and_says_the_rules(shop, waiting_number):
    young = shop.get(WAITING)
    assert re.search(r"Another number Possible in [12]:\d\d , if no code has come by then.", page_words(young))
    assert "$0.625 comes back as soon as it is certain that there was no charge" in page_words(young)
    assert "Auto-replace If no code arrives for a while, we replace the number for you" in page_words(young)

    Order.objects.update(sent_at=timezone.now() - timedelta(minutes=3))
    seen = re.search(r'"seen": "(\w+)"', young.content.decode())[1]
    ripe = shop.get(WAITING, {"seen": seen}, headers=HTMX)

    assert "Another number From United States, for $0.625. The old number is refunded in full" in page_words(ripe)


def test_replace_by_its_button_takes_another_number(shop, ripe, ann):
    page = shop.get(WAITING)
    form = {name: hidden(page, name) for name in ("project", "shown_price_micros", "request_id")}

    assert "Another number is on its way." in press(shop, "replace", ripe, **form)

    assert ann.orders.count() == 2


def test_replace_refused_says_why(shop, waiting_number, ann):
    project = waiting_number.number.project_id

    said = press(shop, "replace", waiting_number, project=project, shown_price_micros=PRICE, request_id="1")

    assert "Wait a little longer" in said
    assert ann.orders.count() == 1


def test_replace_of_a_changed_price_says_the_new_one(shop, ripe, ann):
    said = press(shop, "replace", ripe, project=ripe.number.project_id, shown_price_micros="1", request_id="1")

    assert "it is now $0.625. The number was not replaced." in said


@pytest.mark.parametrize("typed", [{}, {"project": "x"}, {"project": "9" * 30}])
def test_replace_for_nonsense_is_not_found(shop, ripe, typed):
    assert press(shop, "replace", ripe, **typed) == "404"


def test_cancel_by_its_button_says_what_follows(shop, waiting_number):
    said = press(shop, "cancel", waiting_number)

    assert "The number has been canceled." in said
    assert "We refund $0.625 as soon as it is certain that there was no charge for it." in said
    assert "Auto-replace" not in said


def test_cancel_that_was_charged_for_says_so_at_the_end(shop, waiting_number):
    Order.objects.update(status=Status.COMPLETED)
    Number.objects.update(state=Number.State.EXPIRED, cancel_requested_at=timezone.now())

    assert "there was a charge for it, so it can't be refunded" in page_words(shop.get(WAITING))


def test_replacement_rule_is_set_shown_and_stopped(shop, waiting_number):
    said = press(shop, "replacement_rule", waiting_number, cap="0.70", replacements="2", any_country="on")

    rule = ReplacementRule.objects.get()
    assert (rule.cap_micros, rule.left, rule.any_country) == (700_000, 2, True)
    assert "for up to $0.70; 2 replacements are left. The new number may be from another country." in said

    assert "the number is replaced automatically" not in press(shop, "replacement_rule", waiting_number, drop="1")
    assert not ReplacementRule.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"cap": "", "replacements": "1"}, "Maximum price of a number: This field is required."),
        ({"cap": "-1", "replacements": "1"}, "Maximum price of a number: Ensure"),
        ({"cap": "1", "replacements": "6"}, "Maximum number of replacements: Ensure"),
    ],
)
def test_replacement_rule_of_nonsense_says_what_is_wrong(shop, waiting_number, typed, said):
    assert said in press(shop, "replacement_rule", waiting_number, **typed)
    assert not ReplacementRule.objects.exists()


@pytest.mark.parametrize("name", ["cancel", "replacement_rule", "replace"])
def test_a_strangers_number_is_not_found(client, ben, ripe, name):
    client.force_login(ben)
    typed = {"project": ripe.number.project_id, "cap": "1", "replacements": "1", "request_id": "1"}

    assert press(client, name, ripe, **typed) == "404"


def test_history_finds_by_phone_website_country_and_day_and_only_ones_own(shop, buy, ben):
    mine, [other] = buy(quantity=2), buy(user=ben)
    Number.objects.filter(order=mine[0]).update(phone="+14155550100", code="482913", content="<b>Hi</b>")
    Number.objects.filter(order=mine[1]).update(created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    Number.objects.filter(order=other).update(phone="+14155550100", code="999999")

    def found(**asked: str) -> list[int]:
        page = shop.get(HISTORY, asked, headers=HTMX).content.decode()
        return [int(pk) for pk in re.findall(r'href="/orders/(\d+)/"', page)]

    first, second = mine[0].pk, mine[1].pk
    assert found() == [second, first]
    assert found(q="(415) 555-0100") == found(q="4155550100") == [first]
    assert found(q="openai united") == [second, first]
    assert found(q="telegram") == []
    assert found(since="2026-01-31", until="2026-01-31") == [second]
    assert found(until="2026-01-30") == []
    assert found(since="nonsense") == [second, first]
    page = shop.get(HISTORY).content.decode()
    assert "482913" in page
    assert "&lt;b&gt;Hi" in page
    assert "999999" not in page


def test_staff_sees_neither_code_nor_message(client, sam, waiting_number):
    Number.objects.update(state=Number.State.RECEIVED, code="482913", content="Your code is 482913")
    client.force_login(sam)

    number = Number.objects.get()
    for url in (
        reverse("admin:sms_number_changelist"),
        reverse("admin:sms_number_change", args=[number.pk]),
        reverse("admin:orders_order_change", args=[waiting_number.pk]),
    ):
        response = client.get(url)
        assert response.status_code == 200
        assert "482913" not in response.content.decode()


def test_buy_with_the_replacement_box_beside_its_button_sets_a_rule_at_the_shown_price(shop, project):
    url = reverse("sms:buy", args=[project.pk])
    page = shop.get(url)
    form = {name: hidden(page, name) for name in ("quantity", "request_id", "shown_price_micros")}

    shop.post(url, {**form, "auto_replace": "on"})

    rule = ReplacementRule.objects.get()
    assert (rule.cap_micros, rule.left, rule.any_country) == (PRICE, 1, False)


def test_cancel_number_that_is_still_being_fetched_says_so(buy, ann, shop) -> None:
    [order] = buy()

    with pytest.raises(OrderRefused, match="still getting this number"):
        cancel_number(order.pk, user=ann)

    page = page_words(shop.get("/sms/numbers/"))
    assert "Cancel the number" not in page
    assert "Possible once the number is here" in page
    assert "Auto-replace" in page


@pytest.mark.parametrize("how", ["project", "country", "site", "word", "withdrawn"])
def test_waiting_when_it_is_not_sold_any_more_offers_no_further_code(waiting_number, shop, how) -> None:
    Number.objects.update(state=Number.State.RECEIVED, code="1", received_at=timezone.now())
    assert "One more code" in page_words(shop.get("/sms/numbers/"))
    rows = {"project": Project, "country": Country, "site": Site}
    if how in rows:
        rows[how].objects.update(visible=False)
    elif how == "word":
        save_word(ForbiddenWord(word="chatgpt"))
    else:
        Project.objects.update(withdrawn_at=timezone.now())

    assert "One more code" not in page_words(shop.get("/sms/numbers/"))


def test_replace_for_a_hidden_country_is_refused(ripe, shop, project) -> None:
    Country.objects.update(visible=False)

    said = press(shop, "replace", ripe, project=project.pk, shown_price_micros=PRICE, request_id="1")

    assert "These numbers are no longer sold." in said
