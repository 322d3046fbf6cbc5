"""What happens between two clicks, two sweeps and two answers, and what a forged request gets."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import Order
from orders.placing.place import OrderRefused
from sms.models import Country, ForbiddenWord, Number, Project, ReplacementRule, Site
from sms.operations import (
    ReplacementRequest,
    cancel_number,
    drop_replacement_rule,
    replace,
    replace_due_numbers,
    replace_number,
    set_replacement_rule,
    wipe_contents,
)
from sms.policy import save_word
from tests.clock import stopped_at
from tests.pages import hidden, page_words
from tests.upstream.raw_server import RawServer, answer, client_of

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = 625_000
RIPE = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def _long_lives(sandbox: Any) -> None:
    sandbox.set(number_lifetime_seconds=1200)


@pytest.fixture
def shop(client: Any, ann: Any) -> Any:
    client.force_login(ann)
    return client


def answers(client: Any, path: str, **typed: Any) -> Any:
    """Post and return the page that says what came of it, or the bare status."""
    response = client.post(path, typed, follow=True)
    return page_words(response) if response.status_code == 200 else response.status_code


# --- Wiping ---------------------------------------------------------------------------------------------------------


def test_wipe_contents_when_a_message_came_to_a_number_that_never_had_its_code_deletes_it_too(
    waiting_number, settings
) -> None:
    read = '{"status": "expired", "sms_content": "Open https://example.com/secret"}'
    status = '{"status": "expired", "charge": "0.0000"}'
    with RawServer(
        lambda sock, received: sock.sendall(answer(read if received.form["action"] == "sms_code" else status))
    ) as server:
        poll_due(kind="number", client=client_of(server), clock=stopped_at(timezone.now() + RIPE))
    number = Number.objects.get()
    assert (number.state, number.received_at) == (Number.State.EXPIRED, None)

    assert wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS - 1)) == 0
    wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS + 1))

    assert Number.objects.get().content == ""


def test_wipe_contents_when_no_message_came_leaves_the_number_alone(waiting_number, settings) -> None:
    assert wipe_contents(now=timezone.now() + timedelta(days=settings.SMS_CONTENT_KEEP_DAYS + 1)) == 0

    assert Number.objects.get().content_wiped_at is None


# --- Replacing ------------------------------------------------------------------------------------------------------


def replaced(order: Order, user: Any, client: Any, **asked: Any) -> Order:
    asked = {"shown_price_micros": PRICE, "request_id": "1", "now": timezone.now() + RIPE, **asked}
    return replace_number(order.pk, user=user, project=order.number.project, client=client, **asked)


def test_drop_replacement_rule_when_the_rule_has_moved_on_stops_it_where_it_is_now(
    waiting_number, ann, client_upstream
):
    """The button was on a card of a number that the sweep has just replaced."""
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=3))
    assert replace_due_numbers(client=client_upstream, now=timezone.now() + RIPE) == 1

    drop_replacement_rule(waiting_number.pk, user=ann)

    assert not ReplacementRule.objects.exists()


def test_drop_replacement_rule_of_somebody_elses_number_drops_nothing(waiting_number, ann, ben) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))

    drop_replacement_rule(waiting_number.pk, user=ben)

    assert ReplacementRule.objects.exists()


def test_replace_number_when_the_rule_is_dropped_at_that_moment_goes_through_without_it(
    waiting_number, ann, client_upstream, monkeypatch
) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=3))
    rules = type(ReplacementRule.objects.all())
    first = rules.first

    def then_dropped(found: Any) -> Any:
        rule = first(found)
        ReplacementRule.objects.all().delete()
        return rule

    monkeypatch.setattr(
        rules, "first", lambda self: then_dropped(self) if self.model is ReplacementRule else first(self)
    )

    new = replaced(waiting_number, ann, client_upstream)

    assert new.number.replaces == waiting_number.number
    assert not ReplacementRule.objects.exists()


def test_replace_number_by_hand_costs_none_of_the_replacements_that_happen_by_themselves(
    waiting_number, ann, client_upstream
) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE, replacements=2))

    new = replaced(waiting_number, ann, client_upstream)

    rule = ReplacementRule.objects.get()
    assert (rule.number.order, rule.left, rule.cap_micros) == (new, 2, PRICE)


def test_replace_number_when_upstream_says_a_word_nobody_knows_says_that_it_cannot_be_seen(
    waiting_number, ann, client_upstream, sandbox
) -> None:
    sandbox.set_number(waiting_number.upstream_id, status="pondering")

    with pytest.raises(OrderRefused, match="can't check"):
        replaced(waiting_number, ann, client_upstream)

    assert Number.objects.get().state == Number.State.WAITING


@pytest.mark.parametrize("step", ["_ask_once_more", "_close"])
def test_replace_number_when_it_is_canceled_at_that_moment_is_refused(
    waiting_number, ann, client_upstream, monkeypatch, step
) -> None:
    """From a second device, between the steps of the replacement."""
    usual = getattr(replace, step)

    def after_cancel(*asked: Any) -> None:
        Number.objects.update(cancel_requested_at=timezone.now())
        usual(*asked)

    monkeypatch.setattr(replace, step, after_cancel)
    said = "canceled this number" if step == "_ask_once_more" else "no longer waiting"

    with pytest.raises(OrderRefused, match=said):
        replaced(waiting_number, ann, client_upstream)

    waiting_number.refresh_from_db()
    assert (Order.objects.count(), waiting_number.refunded_micros) == (1, 0)


def test_replace_due_numbers_after_the_number_was_canceled_takes_nothing(waiting_number, ann, client_upstream) -> None:
    set_replacement_rule(waiting_number.pk, user=ann, request=ReplacementRequest(PRICE))
    Number.objects.update(cancel_requested_at=timezone.now())

    assert replace_due_numbers(client=client_upstream, now=timezone.now() + RIPE) == 0

    assert ReplacementRule.objects.get().next_at is None


# --- Giving up ------------------------------------------------------------------------------------------------------


def test_cancel_number_that_is_still_being_fetched_says_so(buy, ann, shop) -> None:
    [order] = buy()

    with pytest.raises(OrderRefused, match="still getting this number"):
        cancel_number(order.pk, user=ann)

    page = page_words(shop.get("/sms/numbers/"))
    assert "Cancel the number" not in page
    assert "Turn on automatic replacement" in page
    # What htmx keeps on the screen goes by its name: it has to be another one once there is more to choose from.
    assert f'id="actions-{order.pk}-fetched"' in shop.get("/sms/numbers/").content.decode()


# --- What is sold no more -------------------------------------------------------------------------------------------


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


def test_replace_for_a_hidden_country_is_refused(waiting_number, shop, project) -> None:
    Order.objects.update(sent_at=timezone.now() - RIPE)
    Country.objects.update(visible=False)

    said = answers(
        shop,
        reverse("sms:replace", args=[waiting_number.pk]),
        project=project.pk,
        shown_price_micros=PRICE,
        request_id="1",
    )

    assert "These numbers are no longer sold." in said


# --- Forged requests ------------------------------------------------------------------------------------------------


def test_replace_with_a_nul_in_its_identity_breaks_nothing(waiting_number, shop, project) -> None:
    Order.objects.update(sent_at=timezone.now() - RIPE)

    said = answers(
        shop,
        reverse("sms:replace", args=[waiting_number.pk]),
        project=project.pk,
        shown_price_micros=PRICE,
        request_id="a\0b",
    )

    assert said == 404
    assert Order.objects.count() == 1


@pytest.mark.parametrize("reuse", ["9" * 30, "-1", "x"])
def test_buy_to_reuse_a_number_that_cannot_be_is_refused(shop, project, reuse) -> None:
    url = reverse("sms:buy", args=[project.pk])
    form = {name: hidden(shop.get(url), name) for name in ("quantity", "request_id", "shown_price_micros")}

    response = shop.post(url, {**form, "reuse": reuse})

    assert response.status_code == 200
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "path", ["/sms/countries/%00/", "/sms/sites/99999999999999999999/", "/sms/9999999999999999999/"]
)
def test_pages_of_nonsense_are_not_found(shop, path) -> None:
    assert shop.get(f"/sms/{path}").status_code == 404


@pytest.mark.parametrize("action", ["cancel", "replacement-rule", "replace"])
def test_numbers_of_nonsense_are_not_found(shop, project, action) -> None:
    typed = {"project": project.pk, "cap": "1", "replacements": "1", "request_id": "1"}

    assert shop.post(f"/sms/numbers/99999999999999999999/{action}/", typed).status_code == 404


def test_a_message_and_a_name_of_markup_are_shown_as_text(waiting_number, shop) -> None:
    bad = "<img src=x onerror=alert(1)>"
    Number.objects.update(state="received", code=bad[:40], content=f'"{bad}', received_at=timezone.now())
    Project.objects.update(name=bad)
    Site.objects.update(name=bad, search_text=bad)

    for path in ("/sms/", "/sms/?q=img", "/sms/numbers/", "/sms/numbers/history/"):
        page = shop.get(path)
        assert bad not in page.content.decode(), path
        assert "no-store" in page["Cache-Control"], path


# --- The word list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "name"),
    [("кафé", "КАФÉ один"), ("ＰａｙＰａｌ", "PayPal"), ("paypal", "Ｐａｙｐａｌ 2")],
)
def test_save_word_when_a_name_is_the_same_in_other_letters_of_unicode_forbids_it(project, word, name) -> None:
    site = Site.objects.create(name=name, search_text=name.lower())

    save_word(ForbiddenWord(word=word))

    site.refresh_from_db()
    assert site.forbidden


def test_a_number_that_could_not_be_fetched_after_a_replacement_is_refunded(
    waiting_number, ann, client_upstream, sandbox, project
) -> None:
    new = replaced(waiting_number, ann, client_upstream)
    sandbox.set_project(project.upstream_id, available=0)

    forward_order(new.pk, client=client_upstream, clock=timezone.now)

    new.refresh_from_db()
    waiting_number.refresh_from_db()
    assert (new.refunded_micros, waiting_number.refunded_micros) == (PRICE, PRICE)
