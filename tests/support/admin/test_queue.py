"""The queue: who waits longest is first, what it may be narrowed to, how it is searched, and the figures above it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from support.admin.answer_times import answer_times
from support.models import FirstAnswerRule, Message, Ticket

pytestmark = pytest.mark.django_db
State = Ticket.State
QUEUE = reverse("admin:support_ticket_changelist")


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    client.force_login(sam)
    return client


def listed(desk: Client, **query: Any) -> list[str]:
    return [ticket.subject for ticket in desk.get(QUEUE, query).context["cl"].result_list]


def ago(**parts: float) -> Any:
    return timezone.now() - timedelta(**parts)


def settled(ask: Any, subject: str, state: str = State.ANSWERED, **columns: Any) -> Ticket:
    return ask("other", subject=subject, state=state, waiting_since=None, **columns)


def test_queue_when_nothing_is_chosen_then_who_waits_longest_is_first_and_the_settled_are_not_there(
    desk, ask, sam
) -> None:
    ask("other", subject="new", waiting_since=ago(minutes=3))
    ask("slow", subject="old", waiting_since=ago(days=2), assignee=sam)
    ask("slow", subject="middle", waiting_since=ago(hours=5))
    settled(ask, "answered")
    settled(ask, "watched", State.WATCHED, comes_back_at=timezone.now() + timedelta(hours=2))

    assert listed(desk) == ["old", "middle", "new"]
    assert listed(desk, queue="mine") == ["old"]
    assert listed(desk, queue="nobody") == ["middle", "new"]
    assert listed(desk, queue="watched") == ["watched"]
    assert listed(desk, queue="all")[:3] == ["old", "middle", "new"]
    assert len(listed(desk, queue="all")) == 5
    text = desk.get(QUEUE).content.decode().replace("\u00a0", " ")
    assert "2 days" in text
    assert "5 h" in text


def test_search_when_words_or_numbers_are_typed_then_settled_tickets_are_found_too(desk, ask, order_of, ann) -> None:
    order = order_of()
    first = ask("slow", order, subject="first")
    second = settled(ask, "second")
    Message.objects.create(ticket=second, kind=Message.Kind.CUSTOMER, text="My followers dropped on Friday")

    assert listed(desk, q=f"#{first.pk}") == ["first"] or first.pk == order.pk
    assert "first" in listed(desk, q=str(order.pk))
    assert listed(desk, q="dropped friday") == ["second"]
    assert sorted(listed(desk, q=ann.email)) == ["first", "second"]
    assert listed(desk, q="9" * 40) == []


def test_sidebar_when_tickets_wait_then_it_says_how_many(desk, ask) -> None:
    ask("other")
    ask("other")
    settled(ask, "answered")

    groups = desk.get(reverse("admin:index")).context["sidebar_navigation"]
    [entry] = [item for group in groups for item in group["items"] if item["link"].startswith(QUEUE)]

    assert str(entry["badge"]) == "2"


def test_times_when_tickets_were_answered_then_median_and_nine_in_ten_are_told(ask) -> None:
    for minutes in (10, 20, 30, 40, 600):
        asked = ago(hours=20)
        settled(ask, f"{minutes}", created_at=asked, first_answer_at=asked + timedelta(minutes=minutes))
    settled(ask, "long ago", created_at=ago(days=40), first_answer_at=ago(days=1))

    times = answer_times(now=timezone.now())

    assert (times.usual, times.answered) == ("30 minutes", 5)
    assert times.most == "6 h 16 min"
    assert times.percent_by_rules == 0


def test_times_when_a_rule_watched_first_then_waiting_begins_when_it_came_back(ask) -> None:
    rule = FirstAnswerRule.objects.get(code="in_usual_time")
    asked = ago(hours=20)
    ticket = settled(ask, "back", created_at=asked, first_answer_at=asked + timedelta(hours=10))
    for kind, hours, of in (("rule", 0, rule), ("event", 9, None)):
        at = asked + timedelta(hours=hours, seconds=1)
        Message.objects.create(ticket=ticket, kind=kind, rule=of, text="x", created_at=at)

    assert answer_times(now=timezone.now()).usual in ("59 minutes", "60 minutes", "1 hour")


def test_share_when_rules_settled_some_then_it_is_told_by_rule_and_not_of_what_staff_took_over(ask, sam) -> None:
    rule = FirstAnswerRule.objects.get(code="refill_not_offered")
    alone, taken, back, unruled = (settled(ask, name) for name in ("alone", "taken", "back", "unruled"))
    for ticket in (alone, taken, back):
        Message.objects.create(ticket=ticket, kind="rule", rule=rule, text="x")
    Ticket.objects.filter(pk=taken.pk).update(first_answer_at=timezone.now())
    Ticket.objects.filter(pk=back.pk).update(state=State.OPEN, waiting_since=timezone.now())

    times = answer_times(now=timezone.now())

    assert unruled.pk
    assert times.percent_by_rules == 25
    assert times.by_rule == [("No refill for this service", 1)]
