"""A question is asked: once, about what is one's own, within limits; a rule answers at once or the staff is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.models import Order
from support.models import Attachment, AttachmentContent, Message, SupplierMessage, Ticket
from support.tickets import limits
from support.tickets.opening import open_ticket
from support.tickets.refusals import TicketRefused
from tests.support.files import picture, upload
from wallet.models import TopUp

Kind, Reason, State = Message.Kind, Ticket.Reason, Ticket.State
pytestmark = pytest.mark.django_db


def asked(user, text="Where is my order?", reason=Reason.OTHER, **further):
    return open_ticket(user=user, reason=reason, text=text, **{"now": timezone.now(), **further})


def top_up_of(user):
    return TopUp.objects.create(
        user=user, gateway="manual", currency="USD", amount_micros=1_000_000, pay_micros=1_000_000
    )


def nothing_stored():
    return (Ticket.objects.count(), Message.objects.count(), Attachment.objects.count()) == (0, 0, 0)


def test_open_ticket_then_it_waits_and_the_admins_are_told_once(ann):
    now = timezone.now()

    ticket = asked(ann, "  Hello,\nwhere is it?  ", files=[upload("screen.png", picture())], now=now)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, ticket.subject) == (State.OPEN, now, "Hello,")
    message = ticket.messages.get()
    assert (message.kind, message.text, message.author) == (Kind.CUSTOMER, "Hello,\nwhere is it?", ann)
    file = message.attachments.get()
    assert (file.name, file.kind, file.size) == ("screen.png", "png", len(bytes(file.content.data)))
    notice = Notice.objects.get()
    assert (notice.key, notice.user) == (f"ticket:{ticket.pk}", None)
    assert f"/admin/support/ticket/{ticket.pk}/change/" in notice.body


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("The page shows the old count. Is this only on my side?", "The page shows the old count."),
        ("Hi! Where is it?", "Hi! Where is it?"),
        ("version 2.5 does not work", "version 2.5 does not work"),
        ("word " * 40, "word " * 15 + "word…"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_open_ticket_without_a_subject_then_it_is_how_the_text_begins(ann, text, subject):
    assert asked(ann, text).subject == subject


def test_open_ticket_when_the_key_is_known_then_the_first_one_is_returned(ann, ben):
    first = asked(ann, key="k" * 22)

    assert asked(ann, "Again", key="k" * 22) == first
    assert Message.objects.count() == 1
    assert asked(ben, key="k" * 22) != first


@pytest.mark.parametrize(
    ("further", "field"),
    [
        ({"text": " \n "}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"subject": "x" * 151}, "subject"),
        ({"files": [upload("a.svg", b"<svg/>")]}, "files"),
        ({"files": [upload("a.txt", b"x"), upload("b.txt", b"")]}, "files"),
        ({"files": [upload("a.txt", b"x") for _ in range(6)]}, "files"),
    ],
)
def test_open_ticket_when_something_is_not_taken_then_nothing_is_stored(ann, further, field):
    with pytest.raises(TicketRefused) as refusal:
        asked(ann, **further)

    assert refusal.value.field == field
    assert nothing_stored()
    assert not Notice.objects.exists()


def test_open_ticket_about_what_is_another_customers_then_it_is_not_found(place, ann, ben):
    with pytest.raises(Order.DoesNotExist):
        asked(ben, order=place())
    with pytest.raises(TopUp.DoesNotExist):
        asked(ben, top_up=top_up_of(ann))
    with pytest.raises(ValueError, match="nonsense"):
        asked(ann, reason="nonsense")

    assert nothing_stored()


def test_open_ticket_a_thousand_times_a_minute_then_ten_are_kept(ann, ben):
    now = timezone.now()
    refused = []
    for number in range(200):  # within twelve seconds
        try:
            asked(ann, f"Question {number}", now=now + timedelta(milliseconds=60 * number))
        except TicketRefused as refusal:
            refused.append(str(refusal))

    assert (Ticket.objects.count(), len(refused)) == (limits.TICKETS_AN_HOUR, 190)
    assert all("10 questions within an hour" in words for words in refused)
    asked(ben, now=now)
    asked(ann, now=now + timedelta(hours=1, minutes=2))


def test_open_ticket_when_the_day_is_full_then_messages_and_bytes_are_refused(ann, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(limits, "BYTES_A_DAY", 5_000)
    monkeypatch.setattr(limits, "MESSAGES_A_DAY", 3)
    asked(ann, files=[upload("a.txt", b"x" * 3_000)], now=now)

    with pytest.raises(TicketRefused, match="30 MB") as refusal:
        asked(ann, files=[upload("a.txt", b"x" * 3_000)], now=now)
    assert refusal.value.field == "files"
    asked(ann, now=now)
    asked(ann, now=now)
    with pytest.raises(TicketRefused, match="within a day"):
        asked(ann, now=now)

    asked(ann, files=[upload("a.txt", b"x" * 3_000)], now=now + timedelta(days=1, minutes=1))
    assert AttachmentContent.objects.count() == 2


def test_open_ticket_when_a_rule_answers_then_it_is_watched_and_nobody_of_the_staff_is_told(order_of, ann):
    ticket = asked(ann, "It is slow", reason=Reason.SLOW, order=order_of(hours=1))

    ticket.refresh_from_db()
    said = ticket.messages.last()
    assert (ticket.state, ticket.waiting_since, said.kind, said.rule.code) == (
        State.WATCHED,
        None,
        Kind.RULE,
        "in_usual_time",
    )
    assert ticket.comes_back_at is not None
    assert ticket.first_answer_at is None  # no human has answered
    notice = Notice.objects.get()
    assert notice.user == ann
    assert f"/help/{ticket.pk}/" in notice.body
    assert notice.body.startswith("Nine in ten orders")


def test_open_ticket_when_the_rule_is_off_then_a_human_has_to_look(order_of, ann, no_first_answers):
    ticket = asked(ann, "It is slow", reason=Reason.SLOW, order=order_of(hours=1))

    assert (ticket.state, ticket.messages.count()) == (State.OPEN, 1)
    assert Notice.objects.get().user is None


def test_open_ticket_when_the_order_has_stalled_then_all_is_ready_for_staff(order_of, ann):
    ticket = asked(ann, "It is slow", reason=Reason.SLOW, order=order_of(hours=200))

    ticket.refresh_from_db()
    assert ticket.state == State.OPEN
    assert [message.kind for message in ticket.messages.all()] == [Kind.CUSTOMER, Kind.RULE, Kind.NOTE]
    assert SupplierMessage.objects.get().ticket == ticket
    assert set(Notice.objects.values_list("user", flat=True)) == {ann.pk, None}


def test_open_ticket_with_html_then_it_is_text(ann):
    ticket = asked(ann, "<script>alert(1)</script> & more")

    assert ticket.messages.get().text == "<script>alert(1)</script> & more"


def test_open_ticket_when_it_is_sent_again_then_no_picture_is_drawn(ann):
    first = asked(ann, key="k" * 22, now=timezone.now())

    # It can't be drawn, so that it would be refused if it were looked at.
    again = asked(ann, key="k" * 22, files=[upload("cut.png", picture()[:60])], now=timezone.now())

    assert again == first
