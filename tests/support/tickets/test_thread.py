"""What is said in a ticket after it was opened: who may, when, how often, and what becomes of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.models import Notice
from orders.lifecycle.service_requests import request_service
from orders.models import Order, Status
from support.attachments.storing import delete_old_contents
from support.models import Attachment, AttachmentContent, Message, Ticket
from support.tickets import limits, thread
from support.tickets.finding import tickets_of, unread_tickets, with_words
from support.tickets.opening import open_ticket
from support.tickets.outcomes import outcome_key
from support.tickets.refusals import TicketRefused
from tests.support.files import picture, upload

Kind, Reason, State = Message.Kind, Ticket.Reason, Ticket.State
pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ticket(ann):
    return open_ticket(user=ann, reason=Reason.OTHER, text="How does this work?", now=NOW)


def answered(ticket, sam, *, text="Like this.", now=NOW + HOUR, **further):
    return thread.answer(ticket.pk, actor=sam, text=text, now=now, **further)


def mails_to(user):
    return list(Notice.objects.filter(user=user).order_by("id").values_list("subject", "body"))


def kinds(ticket):
    return [str(message.kind) for message in ticket.messages.order_by("id")]


# --- The staff answers ------------------------------------------------------------------------------------------------
def test_answer_then_the_customer_gets_a_mail_with_a_link_and_it_leaves_the_queue(ticket, ann, sam):
    answered(ticket, sam, text="<b>Like</b> this.", files=[upload("how.png", picture())])

    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, ticket.first_answer_at) == (State.ANSWERED, None, NOW + HOUR)
    assert kinds(ticket) == ["customer", "staff"]
    ((subject, body),) = mails_to(ann)
    assert subject == "Our answer: How does this work?"
    assert body.startswith("<b>Like</b> this.")
    assert f"/help/{ticket.pk}/" in body
    assert "attached files" in body


def test_answer_when_the_customer_wants_no_mail_about_orders_then_it_comes_still(ticket, ann, sam):
    type(ann).objects.filter(pk=ann.pk).update(wants_mail=False)

    answered(ticket, sam)

    assert len(mails_to(ann)) == 1


def test_answer_in_the_customers_language(ann, sam):
    type(ann).objects.filter(pk=ann.pk).update(language="ru")
    ticket = open_ticket(user=ann, reason=Reason.OTHER, text="Как?", now=NOW)

    thread.close(ticket.pk, actor=sam, now=NOW)

    assert ticket.messages.last().kind == Kind.EVENT


def test_answer_twice_with_one_key_then_it_is_said_once(ticket, ann, sam):
    answered(ticket, sam, key="a" * 22)
    answered(ticket, sam, text="Another.", key="a" * 22)

    assert kinds(ticket) == ["customer", "staff"]
    assert len(mails_to(ann)) == 1


def test_answer_when_somebody_has_written_meanwhile_then_nothing_is_sent(ticket, ann, sam, tom):
    seen = ticket.messages.last().pk
    thread.add_note(ticket.pk, actor=tom, text="I'm on it", now=NOW)
    thread.write_again(ticket.pk, user=ann, text="And that?", now=NOW)

    with pytest.raises(TicketRefused, match="customer has written"):
        answered(ticket, sam, after=seen)
    seen = ticket.messages.last().pk
    answered(ticket, tom, after=seen)
    with pytest.raises(TicketRefused, match="colleague has answered"):
        answered(ticket, sam, after=seen)

    assert kinds(ticket) == ["customer", "note", "customer", "staff"]


def test_answer_ones_own_question_then_it_is_refused(sam):
    ticket = open_ticket(user=sam, reason=Reason.OTHER, text="Mine", now=NOW)

    for act in (lambda: answered(ticket, sam), lambda: thread.close(ticket.pk, actor=sam, now=NOW)):
        with pytest.raises(TicketRefused, match="your own question"):
            act()

    assert kinds(ticket) == ["customer"]


def test_answer_with_a_bad_file_then_nothing_is_stored(ticket, sam):
    with pytest.raises(TicketRefused):
        answered(ticket, sam, files=[upload("a.html", b"<html>")])

    assert kinds(ticket) == ["customer"]


def test_notes_are_no_news_to_the_customer_and_no_mail(ticket, ann, sam, tom):
    thread.add_note(ticket.pk, actor=sam, text="A difficult one", now=NOW + HOUR)
    thread.assign(ticket.pk, to=tom, actor=sam, now=NOW + HOUR)
    thread.assign(ticket.pk, to=tom, actor=sam, now=NOW + HOUR)

    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.changed_at, ticket.state) == (tom, NOW, State.OPEN)
    assert kinds(ticket) == ["customer", "note", "note"]
    assert mails_to(ann) == []
    assert not tickets_of(ann).get().unread
    with pytest.raises(TicketRefused):
        thread.assign(ticket.pk, to=ann, actor=sam, now=NOW)


def test_close_twice_then_the_second_is_told(ticket, sam, tom):
    thread.close(ticket.pk, actor=sam, now=NOW + HOUR)

    with pytest.raises(TicketRefused, match="already closed"):
        thread.close(ticket.pk, actor=tom, now=NOW + HOUR)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_by, ticket.closed_at) == (State.CLOSED, sam, NOW + HOUR)


# --- The customer writes again ----------------------------------------------------------------------------------------
def test_write_again_within_a_week_then_it_is_open_again(ticket, ann, sam):
    answered(ticket, sam, close=True)

    thread.write_again(ticket.pk, user=ann, text="It doesn't", now=NOW + HOUR + 7 * DAY)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, ticket.closed_at, ticket.closed_by) == (
        State.OPEN,
        NOW + HOUR + 7 * DAY,
        None,
        None,
    )
    # However often it opens, the admins have one mail of it.
    assert Notice.objects.filter(user=None).count() == 1


@pytest.mark.parametrize("close", [True, False])
def test_write_again_after_a_week_then_it_is_refused(ticket, ann, sam, close):
    answered(ticket, sam, close=close)

    with pytest.raises(TicketRefused, match="more than a week ago"):
        thread.write_again(ticket.pk, user=ann, text="Late", now=NOW + HOUR + 7 * DAY + timedelta(seconds=1))

    assert kinds(ticket) == ["customer", "staff"]


def test_write_again_while_it_waits_then_it_goes_on_waiting_since_the_first_time(ticket, ann):
    thread.write_again(ticket.pk, user=ann, text="Hello?", key="b" * 22, now=NOW + DAY)
    thread.write_again(ticket.pk, user=ann, text="Hello?", key="b" * 22, now=NOW + DAY)

    ticket.refresh_from_db()
    assert (ticket.waiting_since, ticket.messages.count()) == (NOW, 2)


def test_write_again_in_somebody_elses_then_it_is_not_found(ticket, ben):
    for act in (
        lambda: thread.write_again(ticket.pk, user=ben, text="Mine", now=NOW),
        lambda: thread.rate(ticket.pk, user=ben, rating=3, text="", now=NOW),
    ):
        with pytest.raises(Ticket.DoesNotExist):
            act()

    assert kinds(ticket) == ["customer"]


# --- Rating -----------------------------------------------------------------------------------------------------------
def test_rate_then_it_is_kept_and_can_be_changed(ticket, ann, sam):
    with pytest.raises(TicketRefused, match="haven't answered"):
        thread.rate(ticket.pk, user=ann, rating=3, text="", now=NOW)
    answered(ticket, sam)
    thread.rate(ticket.pk, user=ann, rating=1, text="No!", now=NOW)
    thread.rate(ticket.pk, user=ann, rating=3, text=" Yes ", now=NOW + HOUR)

    ticket.refresh_from_db()
    assert (ticket.rating, ticket.rating_text, ticket.rated_at) == (3, "Yes", NOW + HOUR)
    for wrong in ({"rating": 7}, {"rating": 0}):
        with pytest.raises(ValueError, match="is not a valid"):
            thread.rate(ticket.pk, user=ann, text="", now=NOW, **wrong)
    with pytest.raises(TicketRefused):
        thread.rate(ticket.pk, user=ann, rating=1, text="x" * 501, now=NOW)


# --- Time passes ------------------------------------------------------------------------------------------------------
def watched(ann, order):
    ticket = open_ticket(user=ann, reason=Reason.SLOW, text="Slow", order=order, now=NOW)
    ticket.refresh_from_db()
    assert ticket.state == State.WATCHED
    return ticket


def test_come_back_when_the_order_is_still_open_then_it_waits_for_staff_once(order_of, ann):
    ticket = watched(ann, order_of(hours=1))
    later = ticket.comes_back_at

    assert thread.come_back(now=later - timedelta(seconds=1)) == 0
    assert (thread.come_back(now=later), thread.come_back(now=later)) == (1, 0)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, ticket.comes_back_at) == (State.OPEN, later, None)
    assert kinds(ticket) == ["customer", "rule", "event"]
    assert Notice.objects.filter(user=None).count() == 1


def test_come_back_when_the_order_is_done_then_it_closes_with_a_word(order_of, ann):
    ticket = watched(ann, order_of(hours=1))
    Order.objects.update(status=Status.COMPLETED)

    assert thread.come_back(now=ticket.comes_back_at) == 1

    ticket.refresh_from_db()
    assert (ticket.state, ticket.messages.last().kind) == (State.CLOSED, Kind.EVENT)
    assert not Notice.objects.filter(user=None).exists()


def test_write_again_while_it_is_watched_then_a_human_looks_and_it_does_not_come_back(order_of, ann):
    ticket = watched(ann, order_of(hours=1))

    thread.write_again(ticket.pk, user=ann, text="I need it now", now=NOW)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.comes_back_at) == (State.OPEN, None)
    assert thread.come_back(now=NOW + DAY) == 0


def test_come_back_when_one_cannot_be_seen_to_then_the_others_are(working, ann, no_first_answers):
    asked = request_service(working.pk, user=ann, kind="cancel", now=NOW)
    first = asked.ticket
    due = {"state": State.WATCHED, "waiting_since": None, "comes_back_at": NOW}
    Ticket.objects.filter(pk=first.pk).update(**due)
    # What the end of its order would say cannot be said a second time.
    Message.objects.create(ticket=first, kind=Kind.EVENT, key=outcome_key(asked.pk))
    Order.objects.filter(pk=working.pk).update(status=Status.CANCELED)
    other = open_ticket(user=ann, reason=Reason.OTHER, text="Hello", now=NOW)
    Ticket.objects.filter(pk=other.pk).update(**due)

    assert thread.come_back(now=NOW + HOUR) == 1

    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.state, other.state) == (State.WATCHED, State.OPEN)
    # It is tried again, behind the others.
    assert first.comes_back_at == NOW + HOUR + thread.TRIED_AGAIN_AFTER


@pytest.mark.parametrize("reason", ["replayed", "over", "full"])
def test_write_again_when_nothing_would_be_kept_then_no_picture_is_drawn(ticket, ann, sam, reason):
    # One picture that can't be drawn tells: it is refused for itself only where it was looked at.
    files = [upload("cut.png", picture()[:60])]
    further = {"key": "k" * 22, "now": NOW + HOUR}
    if reason == "replayed":
        thread.write_again(ticket.pk, user=ann, text="Look", **further)
    elif reason == "over":
        answered(ticket, sam)
        further["now"] = NOW + 9 * DAY
    else:
        message = ticket.messages.get()
        Attachment.objects.create(message=message, name="a.png", kind="png", size=limits.BYTES_A_DAY, created_at=NOW)

    said = []
    try:
        thread.write_again(ticket.pk, user=ann, text="Look", files=files, **further)
    except TicketRefused as refusal:
        said.append(str(refusal))

    words = {"replayed": [], "over": ["more than a week ago"], "full": ["30 MB within a day"]}[reason]
    assert len(said) == len(words)
    assert all(word in one for word, one in zip(words, said, strict=True))


def test_close_answered_when_a_week_has_passed_then_it_is_closed(ticket, sam):
    answered(ticket, sam)

    assert thread.close_answered(now=NOW + HOUR + 7 * DAY) == 0
    assert thread.close_answered(now=NOW + HOUR + 8 * DAY) == 1

    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_by) == (State.CLOSED, None)
    # That it was closed begins no other week.
    assert thread.reopens_until(ticket) == NOW + HOUR + 7 * DAY


def test_files_of_what_was_closed_long_ago_lose_their_contents(ann, sam, settings):
    ticket = open_ticket(user=ann, reason=Reason.OTHER, text="See", files=[upload("a.png", picture())], now=NOW)
    other = open_ticket(user=ann, reason=Reason.OTHER, text="See", files=[upload("b.png", picture())], now=NOW)
    thread.close(ticket.pk, actor=sam, now=NOW)
    kept = settings.RETENTION.attachments

    assert delete_old_contents(now=NOW + kept) == 0
    assert (delete_old_contents(now=NOW + kept + HOUR), delete_old_contents(now=NOW + kept + HOUR)) == (1, 0)

    gone = Attachment.objects.get(message__ticket=ticket)
    assert (gone.name, gone.deleted_at) == ("a.png", NOW + kept + HOUR)
    assert AttachmentContent.objects.get().attachment.message.ticket == other


# --- Finding ----------------------------------------------------------------------------------------------------------
def test_with_words_then_what_was_said_is_found_and_notes_are_not(ticket, ann, ben, sam):
    open_ticket(user=ben, reason=Reason.OTHER, text="How does this work, too?", now=NOW)
    answered(ticket, sam, text="Through the supplier's panel")
    thread.add_note(ticket.pk, actor=sam, text="hidden word", now=NOW)

    def found(words):
        return list(with_words(tickets_of(ann), words))

    assert found("WORK panel") == found(f"#{ticket.pk}") == found("") == [ticket]
    assert found("hidden") == found("work nowhere") == found("9" * 30) == found("%") == []


def test_unread_then_it_is_news_until_it_was_seen(ticket, ann, sam):
    assert (unread_tickets(ann), tickets_of(ann).get().unread) == (0, False)

    answered(ticket, sam)

    assert (unread_tickets(ann), tickets_of(ann).get().unread) == (1, True)
    Ticket.objects.update(seen_at=NOW + 2 * HOUR)
    assert (unread_tickets(ann), tickets_of(ann).get().unread) == (0, False)
