"""A ticket at the admin: answered, noted, assigned, closed; once, by whoever may, and never by whoever asked."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry, User
from accounts.rights import FINANCE, SUPPORT
from notifications.outbox import send_notices
from orders.lifecycle.service_requests import request_service
from orders.models import ServiceRequest, Status
from storefront.roles import keep_the_roles
from support.models import CannedAnswer, FirstAnswerRule, Message, SupplierMessage, Ticket
from support.tickets import thread
from tests.conftest import customer
from tests.security.factors import NOTHING_DONE, code, confirm_with, grow_old

pytestmark = pytest.mark.django_db
Kind, State = Message.Kind, Ticket.State


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def page(ticket: Ticket) -> str:
    return reverse("admin:support_ticket_change", args=[ticket.pk])


def act(ticket: Ticket) -> str:
    return reverse("admin:support_ticket_act", args=[ticket.pk])


def hidden(answer: Any) -> dict[str, str]:
    """The hidden fields of the answer form, as the page has them."""
    text = answer.content.decode()
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', text) for name in ("key", "after")}
    return {name: match[1] for name, match in found.items() if match}


def said(answer: Any) -> list[str]:
    return [str(text) for text in answer.context["messages"]]


def write(client: Client, ticket: Ticket, button: str = "answer", **fields: Any) -> Any:
    """Open the page, type, press a button, and follow."""
    typed = {**hidden(client.get(page(ticket))), "text": "It starts today.", **fields}
    return client.post(act(ticket), {**typed, "act": button}, follow=True)


def test_answer_when_it_is_sent_then_the_customer_is_mailed_and_the_trail_has_it(desk, ask, sam, ann) -> None:
    ticket = ask("other")

    shown = write(desk, ticket, files=[SimpleUploadedFile("proof.txt", b"seen at noon")])
    send_notices()

    ticket.refresh_from_db()
    message = ticket.messages.get(kind=Kind.STAFF)
    assert (message.text, message.author, ticket.state) == ("It starts today.", sam, State.ANSWERED)
    assert [file.name for file in message.attachments.all()] == ["proof.txt"]
    assert ticket.first_answer_at is not None
    assert shown.redirect_chain[0][0] == reverse("admin:support_ticket_changelist")
    assert said(shown) == ["The answer has been sent."]
    assert "It starts today." in mail.outbox[-1].body
    assert mail.outbox[-1].to == [ann.email]
    assert TrailEntry.objects.filter(actor=sam, target_type="support.Ticket", target_id=str(ticket.pk)).exists()


def test_answer_when_the_button_is_pressed_twice_then_it_is_sent_once(desk, ask) -> None:
    ticket = ask("other")
    typed = {**hidden(desk.get(page(ticket))), "text": "Once.", "act": "answer"}

    desk.post(act(ticket), typed)
    desk.post(act(ticket), typed)

    assert ticket.messages.filter(kind=Kind.STAFF).count() == 1


@pytest.mark.parametrize("meanwhile", ["colleague", "customer"])
def test_answer_when_somebody_wrote_meanwhile_then_nothing_is_sent_and_the_words_stay(
    desk, ask, tom, ann, meanwhile
) -> None:
    ticket = ask("other")
    typed = {**hidden(desk.get(page(ticket))), "text": "Mine <b>too</b>", "act": "answer"}
    if meanwhile == "colleague":
        thread.answer(ticket.pk, actor=tom, text="Done.", now=timezone.now())
    else:
        thread.write_again(ticket.pk, user=ann, text="It has come!", now=timezone.now())
    before = ticket.messages.count()

    shown = desk.post(act(ticket), typed)

    assert ticket.messages.count() == before
    assert "meanwhile" in said(shown)[0]
    assert "Mine &lt;b&gt;too&lt;/b&gt;" in shown.content.decode()


def test_answer_when_a_file_is_refused_then_nothing_is_sent(desk, ask) -> None:
    ticket = ask("other")

    shown = write(desk, ticket, files=[SimpleUploadedFile("a.svg", b"<svg/>")])

    assert not ticket.messages.filter(kind=Kind.STAFF).exists()
    assert said(shown)[0].startswith("a.svg: We take PNG")


@pytest.mark.parametrize("button", ["answer", "answer_and_close", "close"])
def test_answer_when_the_ticket_is_ones_own_then_a_colleague_has_to(desk, ask, sam, button) -> None:
    ticket = ask("other")
    Ticket.objects.filter(pk=ticket.pk).update(user=sam)
    fields = {"text": "" if button == "close" else "I agree", "key": "k", "after": "0"}

    shown = desk.post(act(ticket), {**fields, "act": button})

    ticket.refresh_from_db()
    assert said(shown) == ["This is your own question: a colleague has to answer it."]
    assert (ticket.state, ticket.messages.count()) == (State.OPEN, 0)
    assert "a colleague has to answer it" in desk.get(page(ticket)).content.decode()


@pytest.mark.parametrize(("outcome", "state"), [("done", "done"), ("declined", "declined")])
def test_request_when_its_ticket_is_answered_then_both_are_settled_in_one_go(
    desk, order_of, ann, outcome, state
) -> None:
    FirstAnswerRule.objects.update(active=False)
    order = order_of(service_has={"cancel": True}, hours=1)
    asked = request_service(order.pk, user=ann, kind=ServiceRequest.Kind.CANCEL, now=timezone.now())
    ticket = Ticket.objects.get(request=asked)

    open_still = write(desk, ticket, "answer_and_close")
    write(desk, ticket, "answer_and_close", outcome=outcome, text="We asked for it.")

    asked.refresh_from_db()
    ticket.refresh_from_db()
    assert said(open_still) == ["Say first what becomes of the request: done or declined."]
    assert (asked.state, asked.answer, ticket.state) == (state, "We asked for it.", State.CLOSED)


def test_note_when_it_is_added_then_only_staff_reads_it(desk, ask, ann) -> None:
    ticket = ask("other")

    desk.post(act(ticket), {"act": "note", "note": "Asked before, see June."})

    assert "see June" in desk.get(page(ticket)).content.decode()
    reader = Client()
    reader.force_login(ann)
    assert "see June" not in reader.get(reverse("support:ticket", args=[ticket.pk])).content.decode()


def test_assignment_when_a_clerk_takes_or_gives_it_then_the_queue_says_whose_it_is(desk, ask, sam, tom, ann) -> None:
    ticket = ask("other")

    desk.post(act(ticket), {"act": "take"})
    ticket.refresh_from_db()
    assert ticket.assignee == sam
    desk.post(act(ticket), {"act": "assign", "to": tom.pk})
    refused = desk.post(act(ticket), {"act": "assign", "to": ann.pk})

    ticket.refresh_from_db()
    assert ticket.assignee == tom
    assert said(refused)[-1:] == ["Nothing was sent. Please look at what is marked."]


def test_close_when_words_were_typed_then_they_are_not_lost(desk, ask) -> None:
    ticket = ask("other")

    refused = desk.post(act(ticket), {"act": "close", "text": "Half a sentence"})
    ticket.refresh_from_db()
    assert ticket.state == State.OPEN
    assert "Half a sentence" in refused.content.decode()
    desk.post(act(ticket), {"act": "close", "text": ""})
    again = desk.post(act(ticket), {"act": "close", "text": ""})

    ticket.refresh_from_db()
    assert ticket.state == State.CLOSED
    assert said(again)[-1:] == ["A colleague has already closed this ticket. Nothing was changed."]


def test_canned_answer_when_it_is_chosen_then_its_text_is_filled_in_and_nothing_sent(desk, ask, order_of, ann) -> None:
    ann.language = "ru"
    ann.save(update_fields=["language"])
    texts = {"en": "Hello", "ru": "Здравствуйте, {name}! Заказ {order}: {link}"}
    canned = CannedAnswer.objects.create(name="Delay", texts=texts, reasons=["slow"])
    CannedAnswer.objects.create(name="Another", texts={"en": "Thank you"})
    CannedAnswer.objects.create(name="Of payments", texts={"en": "{payment} is here"})
    ticket = ask("slow", order_of())

    offered = desk.get(page(ticket)).context["canned"]
    address = reverse("admin:support_ticket_fill", args=[ticket.pk])
    shown = desk.post(address, {"canned": canned.pk, "text": "Typed", "key": "k", "after": "0"})

    assert [answer.name for answer, _text in offered] == ["Delay", "Another"]
    text = shown.context["forms"]["answer"]["text"].value()
    assert text == f"Typed\n\nЗдравствуйте, ann! Заказ #{ticket.order_id}: https://instagram.com/ann"
    assert ticket.messages.count() == 0


def test_supplier_message_when_it_is_prepared_and_sent_then_once_and_by_name(desk, ask, order_of, sam) -> None:
    ticket = ask("slow", order_of(hours=30))

    desk.post(act(ticket), {"act": "prepare"})
    twice = desk.post(act(ticket), {"act": "prepare"})
    message = SupplierMessage.objects.get()
    desk.post(act(ticket), {"act": "sent", "message": message.pk})
    again = desk.post(act(ticket), {"act": "sent", "message": message.pk})

    message.refresh_from_db()
    assert said(twice)[-1:] == ["There is a message that hasn't been sent yet."]
    assert (message.sent_by, message.text.splitlines()[2]) == (sam, "Order: 77")
    assert said(again)[-1:] == ["A colleague has already marked this message as sent. Nothing was changed."]
    assert ticket.messages.filter(kind=Kind.NOTE).count() == 1


def test_page_when_words_of_customers_have_markup_then_it_is_text(desk, ask, order_of) -> None:
    ticket = ask("slow", order_of(), subject="<script>1</script>")
    Message.objects.create(ticket=ticket, kind=Kind.CUSTOMER, text="<img src=x onerror=alert(1)>\n2026-11-30 10:00 UTC")
    Message.objects.create(
        ticket=ticket, kind=Kind.RULE, text="<i>By</i> 2026-11-30 10:00 UTC and 2026-13-41 10:00 UTC"
    )

    text = desk.get(page(ticket)).content.decode()

    assert "<script>1" not in text
    assert "<img src=x" not in text
    assert "<i>By" not in text
    assert text.count('datetime="2026-11-30T10:00:00+00:00"') == 1


def test_roles_when_support_works_then_it_answers_and_finance_does_not_see_tickets(ask, client) -> None:
    ticket = ask("other")
    keep_the_roles()
    clerk = customer("clerk@example.com", is_staff=True)
    clerk.groups.add(Group.objects.get(name=SUPPORT))
    client.force_login(clerk)
    write(client, ticket)
    rules = reverse("admin:support_firstanswerrule_changelist")

    assert ticket.messages.get().author == clerk
    assert client.get(rules).status_code == 200
    rule = FirstAnswerRule.objects.get(code="stalled")
    change = reverse("admin:support_firstanswerrule_change", args=[rule.pk])
    assert client.post(change, {"active": "on", "hours": 5}).status_code == 403
    other = customer("money@example.com", is_staff=True)
    other.groups.add(Group.objects.get(name=FINANCE))
    client.force_login(other)
    assert client.get(page(ticket)).status_code == 403
    assert client.post(act(ticket), {"act": "take"}).status_code == 403


def test_page_when_the_clerk_may_only_look_then_no_form_is_there_and_no_post_works(ask, order_of, client) -> None:
    ticket = ask("slow", order_of(hours=30))
    clerk = customer("clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    client.force_login(clerk)

    shown = client.get(page(ticket))

    assert b'name="act"' not in shown.content
    assert shown.context["evidence"] == []  # what it is about is for who may see orders and customers
    for button in ("answer", "note", "take", "close", "prepare", "sent"):
        assert client.post(act(ticket), {"act": button, "text": "x", "note": "x"}).status_code == 403
    assert not ticket.messages.exists()


def test_page_when_an_order_is_asked_about_then_what_is_known_stands_beside_it(desk, ask, order_of) -> None:
    order = order_of(hours=5, start_count=1200, remains=400, status=Status.IN_PROGRESS)
    ticket = ask("slow", order)
    ask("other")

    text = desk.get(page(ticket)).content.decode()

    for known in ("https://instagram.com/ann", ">77<", "1,200", "600", "4 hours", "5 hours"):
        assert known in text
    assert "Other tickets of this customer" in text


def test_file_when_it_is_of_another_ticket_then_it_is_not_found(desk, ask) -> None:
    ticket, other = ask("other"), ask("other")
    write(desk, ticket, files=[SimpleUploadedFile("proof.txt", b"seen at noon")])
    file = ticket.messages.get().attachments.get()

    got = desk.get(reverse("admin:support_ticket_file", args=[ticket.pk, file.pk]))

    assert (got.content, got["Content-Disposition"]) == (b"seen at noon", 'attachment; filename="proof.txt"')
    assert desk.get(reverse("admin:support_ticket_file", args=[other.pk, file.pk])).status_code == 404


def test_answer_when_the_sign_in_is_old_then_it_comes_back_as_typed_and_is_not_sent(desk, ask) -> None:
    ticket = ask("other")
    typed = {**hidden(desk.get(page(ticket))), "text": "A long answer", "act": "answer"}
    grow_old(desk)

    asked = desk.post(act(ticket), typed)
    shown = desk.get(confirm_with(desk, asked, code())["Location"])

    assert NOTHING_DONE in shown.content.decode()
    assert "A long answer" in shown.content.decode()
    assert not ticket.messages.exists()
    desk.post(act(ticket), {**typed, **hidden(shown)})
    assert ticket.messages.get().text == "A long answer"
