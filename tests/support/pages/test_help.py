"""The pages where customers ask and read: what each shows to whom, and what is refused in words."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Status
from support.models import Attachment, Message, Ticket
from support.tickets import thread
from support.tickets.opening import open_ticket
from tests.pages import error_beside, summary
from tests.support.files import PDF, SCRIPT, picture, upload
from wallet.models import TopUp

pytestmark = pytest.mark.django_db
Reason, State = Ticket.Reason, Ticket.State
NEW = "/help/new/"


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def key_in(answer):
    return re.search(r'name="key" value="(\w+)"', answer.content.decode())[1]


def ask(client, address=NEW, **typed):
    values = {"reason": "other", "text": "Hello", "key": key_in(client.get(address)), **typed}
    return client.post(address, values)


@pytest.fixture
def ticket(ann):
    return open_ticket(user=ann, reason=Reason.OTHER, text="How does this work?", now=timezone.now())


def test_a_visitor_reads_where_to_write_and_signs_in_to_ask(client, settings):
    page = client.get("/help/")

    assert f"mailto:{settings.SUPPORT_EMAIL}" in page.content.decode()
    assert "/accounts/login/?next=/help/" in page.content.decode()
    for address in (NEW, "/help/1/", "/help/files/1/"):
        assert client.get(address)["Location"].startswith("/accounts/login/")


def test_asking_from_nowhere_then_the_ticket_is_shown_and_listed(shop, ann):
    answer = ask(shop, text="<script>alert(1)</script>\nWhere?", files=[upload("screen.png", picture())])

    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/help/{ticket.pk}/"
    page = shop.get(answer["Location"])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>Where?" in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    assert "screen.png" in text_of(page)
    assert "Waiting for us" in text_of(shop.get("/help/"))


@pytest.mark.parametrize(
    ("order", "reasons"),
    [
        ({"status": Status.PENDING}, ["slow", "not_started", "other"]),
        ({"status": Status.IN_PROGRESS}, ["slow", "other"]),
        ({"status": Status.COMPLETED}, ["dropped", "wrong", "other"]),
        ({"status": Status.PARTIAL}, ["partial", "dropped", "wrong", "other"]),
        ({"status": Status.COMPLETED, "link": ""}, ["not_working", "wrong", "other"]),
        ({"status": Status.CANCELED}, ["other"]),
    ],
)
def test_reasons_fit_how_the_order_stands(shop, order_of, order, reasons):
    asked_about = order_of(hours=1, **order)

    page = shop.get(f"{NEW}?order={asked_about.pk}").content.decode()

    assert re.findall(r'name="reason" value="(\w+)"', page) == reasons


def test_asking_about_an_order_then_the_rule_answers_on_the_next_page(shop, order_of):
    order = order_of(hours=1)
    address = f"{NEW}?order={order.pk}"
    assert f'href="{address}"' in shop.get(f"/orders/{order.pk}/").content.decode()

    page = shop.get(ask(shop, address, reason="slow")["Location"])

    ticket = Ticket.objects.get()
    assert (ticket.order, ticket.state) == (order, State.WATCHED)
    assert "Automatic answer" in text_of(page)
    assert "We keep an eye on it" in text_of(page)
    assert "already asked about this" in text_of(shop.get(address))


def test_asking_about_a_payment(shop, ann):
    paid = TopUp.objects.create(
        user=ann, gateway="manual", currency="USD", amount_micros=1_000_000, pay_micros=1_000_000
    )
    address = f"{NEW}?payment={paid.reference}"
    assert f'href="{address}"' in shop.get(reverse("wallet:payment", args=[paid.reference])).content.decode()

    ask(shop, address, reason="payment")

    assert Ticket.objects.get().top_up == paid


def test_what_is_another_customers_is_not_there(client, ben, ticket, order_of, ann):
    order = order_of(hours=1)
    paid = TopUp.objects.create(
        user=ann, gateway="manual", currency="USD", amount_micros=1_000_000, pay_micros=1_000_000
    )
    client.force_login(ben)
    typed = {"reason": "other", "text": "Mine", "key": "k" * 22}

    for address in (
        f"{NEW}?order={order.pk}", f"{NEW}?payment={paid.reference}",
        f"{NEW}?payment=%00", f"{NEW}?order=x", f"{NEW}?order={'9' * 40}",
        f"/help/{ticket.pk}/",
    ):  # fmt: skip
        assert (client.get(address).status_code, client.post(address, typed).status_code) == (404, 404), address
    assert client.post(f"/help/{ticket.pk}/rating/", {"rating": 3}).status_code == 404
    page = text_of(client.get(NEW, {"number": f"#{order.pk}"}))
    assert f"You have no order with the number #{order.pk}" in page
    assert Message.objects.count() == 1
    assert "How does this work" not in text_of(client.get("/help/"))


def test_an_order_is_found_by_its_number(shop, order_of):
    order = order_of(hours=1)

    assert shop.get(NEW, {"number": f"№ {order.pk}"})["Location"] == f"{NEW}?order={order.pk}"


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"text": " "}, "id_text", "Write a few words."),
        ({"reason": "slow"}, "id_reason_0", ""),  # not about an order
        ({"files": [upload("logo.svg", b"<svg/>")]}, "id_files", "logo.svg: We take"),
        ({"files": [upload("page.png", SCRIPT)]}, "id_files", "page.png: We take"),
        ({"files": [upload("a.txt", b"")]}, "id_files", "empty"),
        ({"files": [upload(f"{number}.txt", b"x") for number in range(6)]}, "id_files", "at most 5 files"),
        ({"files": [upload("a.txt", b"x" * (4 * 1024 * 1024 + 1))]}, "id_files", "larger than 4 MB"),
    ],
)
def test_what_is_not_taken_is_said_at_its_field_and_nothing_is_stored(shop, typed, field, says):
    answer = ask(shop, **typed)

    assert answer.status_code == 200
    assert [mark for _text, mark in summary(answer)] == [field]
    assert says in text_of(answer)
    assert not Ticket.objects.exists()
    assert not Attachment.objects.exists()


def test_a_form_that_is_sent_twice_asks_once(shop):
    key = key_in(shop.get(NEW))

    first, second = ask(shop, key=key), ask(shop, key=key)

    assert first["Location"] == second["Location"]
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "key", ["orders:" + "x" * 15, "request:1234567:closed", "claim-answer:" + "1" * 9, "rule:" + "x" * 17]
)
def test_a_key_that_belongs_to_orders_or_rules_is_no_forms_key(shop, ticket, key):
    # With one of these a program would write as much as it likes, or keep an outcome from being said.
    assert len(key) == 22

    ask(shop, key=key)
    shop.post(f"/help/{ticket.pk}/", {"text": "Again", "key": key})

    assert not Message.objects.filter(key=key).exists()
    assert Ticket.objects.get() == ticket


def test_a_body_beyond_all_files_is_refused_before_it_is_read(shop):
    answer = shop.post(NEW, {"files": [SimpleUploadedFile("a.txt", b"x" * (33 * 1024 * 1024))]})

    assert answer.status_code == 413
    assert shop.post("/help/", {"files": [upload("a.txt", b"x")]}).status_code in (400, 405)


def test_an_answer_appears_without_reloading_and_is_seen_then(shop, ticket, sam):
    page = shop.get(f"/help/{ticket.pk}/").content.decode()
    seen = re.search(r'"seen": "(\w+)"', page)[1]
    asking = {"headers": {"HX-Request": "true"}, "query_params": {"seen": seen}}
    assert shop.get(f"/help/{ticket.pk}/", **asking).status_code == 204

    thread.answer(ticket.pk, actor=sam, text="Like this.", now=timezone.now())

    assert "New answer" in text_of(shop.get("/help/"))
    part = shop.get(f"/help/{ticket.pk}/", **asking)
    assert "Like this." in text_of(part)
    assert "<html" not in part.content.decode()
    assert "sam@example.com" not in part.content.decode()
    assert "New answer" not in text_of(shop.get("/help/"))


def test_notes_are_never_shown(shop, ticket, sam):
    thread.add_note(ticket.pk, actor=sam, text="Difficult customer", now=timezone.now())

    assert "Difficult" not in text_of(shop.get(f"/help/{ticket.pk}/"))
    assert "How does" not in text_of(shop.get("/help/", {"q": "Difficult"}))


def test_reply_rate_and_reopen(shop, ticket, sam):
    address = f"/help/{ticket.pk}/"
    assert "Did this help?" not in text_of(shop.get(address))
    thread.answer(ticket.pk, actor=sam, text="Like this.", close=True, now=timezone.now())
    assert "Reopen with a reply" in text_of(shop.get(address))

    bad = shop.post(f"{address}rating/", {"rating": "9"})
    assert error_beside(bad, "id_rating_0") or summary(bad)
    assert shop.post(f"{address}rating/", {"rating": "3", "rating_text": "Thanks"})["Location"] == address
    ticket.refresh_from_db()
    assert (ticket.rating, ticket.rating_text) == (3, "Thanks")

    page = shop.get(address)
    shop.post(address, {"text": "One more thing", "key": key_in(page), "files": [upload("a.pdf", PDF)]})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.messages.count()) == (State.OPEN, 3)


def test_after_a_week_there_is_no_field_but_a_way_to_ask_anew(shop, ticket, sam):
    thread.answer(ticket.pk, actor=sam, text="Like this.", now=timezone.now() - 8 * thread.REOPENS_WITHIN)
    page = shop.get(f"/help/{ticket.pk}/").content.decode()

    assert 'name="text"' not in page
    assert f'href="{NEW}"' in page


def test_lists_ask_as_much_for_many_tickets_as_for_one(shop, ann, order_of, django_assert_num_queries):
    def tickets(count):
        for number in range(count):
            order = Order.objects.first()
            ticket = open_ticket(user=ann, reason=Reason.OTHER, text=f"Nr {number}", order=order, now=timezone.now())
            Ticket.objects.filter(pk=ticket.pk).update(created_at="2020-01-01T00:00Z")

    order_of(hours=1)
    tickets(1)
    shop.get("/help/")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as one:
        shop.get("/help/")
    tickets(8)
    with django_assert_num_queries(len(one)):
        shop.get("/help/")


# --- Files ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def file(ticket, ann):
    thread.write_again(ticket.pk, user=ann, text="See", files=[upload("снимок.png", picture())], now=timezone.now())
    return Attachment.objects.get()


def status_for(user, file):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.get(f"/help/files/{file.pk}/").status_code


def test_a_file_is_a_download_and_nothing_else(shop, file):
    answer = shop.get(f"/help/files/{file.pk}/")

    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"] == "image/png"


def test_a_file_is_there_for_its_customer_and_for_staff_who_read_tickets(file, ann, ben, sam):
    from django.contrib.auth.models import Permission

    clerk = type(sam).objects.create_user("clerk@example.com", "x", is_staff=True)
    reader = type(sam).objects.create_user("reader@example.com", "x", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    former = type(sam).objects.create_user("former@example.com", "x")
    former.user_permissions.add(Permission.objects.get(codename="view_ticket"))

    found = {who: status_for(who, file) for who in (ann, ben, sam, clerk, reader, former)}

    assert [found[who] for who in (ann, ben, sam, clerk, reader, former)] == [200, 404, 200, 404, 200, 404]
    assert status_for(None, file) == 302


def test_a_file_of_a_note_and_one_whose_content_is_gone_are_not_there(file, ann, sam):
    Message.objects.update(kind=Message.Kind.NOTE)
    assert (status_for(ann, file), status_for(sam, file)) == (404, 200)

    Message.objects.update(kind=Message.Kind.CUSTOMER)
    file.content.delete()
    assert status_for(ann, file) == 404


def test_asking_when_a_rule_has_answered_then_the_page_promises_no_other_answer(shop, order_of):
    waits = shop.get(ask(shop)["Location"])
    answered = shop.get(ask(shop, f"{NEW}?order={order_of(hours=1).pk}", reason="slow")["Location"])

    assert "We have your question. Our answer will come here." in text_of(waits)
    assert "there is a first answer already" in text_of(answered)


def test_an_open_page_when_an_answer_comes_says_it_aloud_and_nothing_before_it(shop, ann, sam, ticket):
    address = f"/help/{ticket.pk}/"
    assert 'id="ticket-news" aria-live="polite"></p>' in shop.get(address).content.decode()

    thread.answer(ticket.pk, actor=sam, text="Like <this>.", now=timezone.now())
    part = shop.get(address, headers={"HX-Request": "true"}, query_params={"seen": "old"}).content.decode()

    [said] = re.findall(r'<p[^>]*id="ticket-news"[^>]*hx-swap-oob="innerHTML">(.*?)</p>', part, re.DOTALL)
    assert said.split() == ["Support:", "Like", "&lt;this&gt;."]
    assert part.count("aria-live") == 1  # what is swapped in as a whole would be read as a whole
