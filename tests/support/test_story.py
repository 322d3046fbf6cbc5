"""The whole way of a question over HTTP: a rule answers, its time passes, staff answers, the customer rates."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.outbox import send_notices
from support.models import Ticket
from support.tasks import come_back

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
State = Ticket.State


def hidden(answer: Any) -> dict[str, str]:
    text = answer.content.decode()
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', text) for name in ("key", "after")}
    return {name: match[1] for name, match in found.items() if match}


def test_slow_order_when_its_customer_asks_then_rule_time_staff_and_rating_follow(order_of, ann, sam) -> None:
    shop, desk = Client(), Client()
    shop.force_login(ann)
    desk.force_login(sam)
    order = order_of(hours=1)
    new = reverse("support:new") + f"?order={order.pk}"

    # She asks, and is answered at once.
    asked = {**hidden(shop.get(new)), "reason": "slow", "text": "How long does it take?"}
    answered = shop.post(new, asked, follow=True)
    ticket = Ticket.objects.get()
    send_notices()
    assert ticket.state == State.WATCHED
    assert "Nine in ten orders of this service are done within 4 hours" in answered.content.decode()
    assert f'datetime="{ticket.comes_back_at:%Y-%m-%dT%H:%M}:00+00:00"' in answered.content.decode()
    assert re.search(r"done by \w{3} \d+, 2\d{3}, \d+:\d\d\s[AP]M UTC", mail.outbox[-1].body)
    queue = reverse("admin:support_ticket_changelist")
    assert list(desk.get(queue).context["cl"].result_list) == []

    # Before the hour nothing happens; after it the ticket waits for staff.
    come_back()
    ticket.refresh_from_db()
    assert ticket.state == State.WATCHED
    Ticket.objects.update(comes_back_at=timezone.now() - timedelta(minutes=1))
    come_back()
    assert list(desk.get(queue).context["cl"].result_list) == [ticket]

    # Staff answers.
    page = reverse("admin:support_ticket_change", args=[ticket.pk])
    typed = {**hidden(desk.get(page)), "text": "It has been started again.", "act": "answer"}
    desk.post(reverse("admin:support_ticket_act", args=[ticket.pk]), typed)
    assert list(desk.get(queue).context["cl"].result_list) == []
    assert "It has been started again." in shop.get(reverse("support:ticket", args=[ticket.pk])).content.decode()

    # She says that it helped, and staff sees that.
    shop.post(reverse("support:rating", args=[ticket.pk]), {"rating": Ticket.Rating.GOOD, "rating_text": "Thank you"})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.rating) == (State.ANSWERED, Ticket.Rating.GOOD)
    assert "Thank you" in desk.get(page).content.decode()
