"""What customers asked through the weeks: some questions a rule answered, some staff, and a few wait."""

import io
import random
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from accounts.models import User
from notifications.models import Notice
from orders.models import Order, Status
from support.models import CannedAnswer, Ticket
from support.tickets.opening import open_ticket
from support.tickets.thread import add_note, answer, rate, write_again
from wallet.models import TopUp

Reason = Ticket.Reason
CANNED = {
    "Hello and delay": (
        [Reason.SLOW, Reason.NOT_STARTED],
        "Hello,\n\nthank you for writing. Order {order} is taking longer than it should; we have asked for it to be "
        "speeded up. You don't need to do anything; we'll write here as soon as we know more.",
        "Здравствуйте!\n\nСпасибо, что написали. Заказ {order} выполняется дольше обычного, мы попросили его ускорить. "
        "От вас ничего не требуется: как только будут новости, мы напишем здесь.",
    ),
    "Link is private": (
        [Reason.NOT_STARTED, Reason.PARTIAL],
        "Hello,\n\nwe can't reach {link}: the page is private. Please make it public until the order is done.",
        "Здравствуйте!\n\nСтраница {link} закрыта, и мы не можем её открыть. Пожалуйста, откройте её, пока заказ "
        "выполняется.",
    ),
    "Refill arranged": (
        [Reason.DROPPED, Reason.REFILL],
        "Hello,\n\nthe refill of order {order} has been arranged. It usually shows within a day.",
        "Здравствуйте!\n\nВосстановление по заказу {order} запущено. Обычно его видно в течение суток.",
    ),
    "Payment found": (
        [Reason.PAYMENT],
        "Hello,\n\nwe have found your payment {payment}, and the money is in your balance now.",
        "Здравствуйте!\n\nМы нашли ваш платёж {payment}, деньги уже на балансе.",
    ),
}
# What others asked: the reason, their words, ours, days ago, minutes until the answer, how they rated it.
ANSWERED = (
    (Reason.OTHER, "Can I order for two pages at once?", "Yes: with a mass order, one line for each page.", 24, 25, 3),
    (Reason.SLOW, "Still nothing since yesterday.", "It has been started again and is moving now.", 17, 95, 3),
    (Reason.WRONG, "These are views, not likes.", "This one sells views; likes are the one below it.", 13, 42, 2),
    (Reason.OTHER, "Do you have an API?", "Yes, its documentation is linked at the end of each page.", 9, 12, 3),
    (Reason.PARTIAL, "Half is missing?", "For what does not come you get your money back by itself.", 5, 310, None),
    (Reason.OTHER, "Could you add more countries?", "As soon as we can get them. Thank you for asking.", 2, 55, None),
)
WAITING = (
    (Reason.WRONG, "I wanted them on the other account. Can the link still be changed?", 7.5),
    (Reason.OTHER, "Which service would you take for a new page?", 2.2),
    (Reason.NOT_WORKING, "The second one asks for a phone number.", 0.6),
)
PASSED_TO_STAFF = "Asked the same in spring. Be generous."


def make_canned_answers() -> None:
    """Write the texts that staff answers with."""
    CannedAnswer.objects.bulk_create(
        CannedAnswer(name=name, reasons=list(reasons), texts={"en": english, "ru": russian})
        for name, (reasons, english, russian) in CANNED.items()
    )


def ask_in_the_past(people: list[User], staff: User, dice: random.Random, *, now: datetime) -> None:
    """Let others ask, and staff answer most of them; their mails left long ago."""
    make_canned_answers()
    askers = dice.sample(people, min(len(people), len(ANSWERED) + len(WAITING)))
    for user, (reason, text, ours, days, minutes, rating) in zip(askers, ANSWERED, strict=False):
        at = now - timedelta(days=days, minutes=dice.randrange(600))
        ticket = open_ticket(user=user, reason=reason, text=text, order=_order_of(user, before=at), now=at)
        answered_at = at + timedelta(minutes=minutes)
        answer(ticket.pk, actor=staff, text=ours, close=days > 7, now=answered_at)
        if rating is not None:
            rate(ticket.pk, user=user, rating=rating, text="", now=answered_at + timedelta(hours=2))
    waiting = askers[len(ANSWERED) :]
    for user, (reason, text, hours) in zip(waiting, WAITING, strict=False):
        at = now - timedelta(hours=hours)
        ticket = open_ticket(user=user, reason=reason, text=text, order=_order_of(user, before=at), now=at)
        if reason == Reason.OTHER:
            add_note(ticket.pk, actor=staff, text=PASSED_TO_STAFF, now=at + timedelta(minutes=20))
    Notice.objects.filter(sent_at=None, created_at__lt=now, key__contains="ticket:").update(sent_at=now, tries=1)


def ask_what_rules_answer(customer: User, *, now: datetime) -> None:
    """Let the demo's customer ask what rules know: of an order under way, a partial one, and one without refill."""
    orders = Order.objects.filter(user=customer, service__isnull=False).select_related("service__quality")
    words = {
        Reason.SLOW: "How long will this take?",
        Reason.PARTIAL: "Why did I get only a part?",
        Reason.DROPPED: "The number went down again.",
    }
    found = {
        Reason.SLOW: orders.filter(status=Status.PAID, service__quality__done_seconds_most__gt=1800, held_because=""),
        Reason.PARTIAL: orders.filter(status=Status.PARTIAL),
        Reason.DROPPED: orders.filter(status=Status.COMPLETED, service__refill=False).exclude(link=""),
    }
    for reason, candidates in found.items():
        # Of the open ones the newest is held, as its service is paused.
        order = candidates.order_by("pk" if reason == Reason.SLOW else "-pk").first()
        if order is not None:
            at = min(now, (order.finished_at or now) + timedelta(hours=5))
            open_ticket(user=customer, reason=reason, text=words[reason], order=order, now=at)


def _order_of(user: User, *, before: datetime) -> Order | None:
    orders = Order.objects.filter(user=user, created_at__lt=before, service__isnull=False)
    return orders.order_by("-pk").first()


def ask_as_the_customer(customer: User, staff: User, *, now: datetime) -> None:
    """Let the demo's customer have asked before: one closed and rated, one with a picture and a new answer."""
    at = now - timedelta(days=12)
    paid = TopUp.objects.filter(user=customer, status=TopUp.Status.PAID, created_at__lt=at).order_by("-pk").first()
    words = "I paid twice by mistake. Can the second payment stay on my balance?"
    ticket = open_ticket(user=customer, reason=Reason.PAYMENT, text=words, top_up=paid, now=at)
    said = "Of course: both are on your balance, and you can use them for any order. No need to do anything."
    answer(ticket.pk, actor=staff, text=said, close=True, now=at + timedelta(minutes=34))
    rate(ticket.pk, user=customer, rating=3, text="Quick and friendly.", now=at + timedelta(hours=3))
    Ticket.objects.filter(user=customer, changed_at__lt=now - timedelta(days=1)).update(seen_at=now)
    at = now - timedelta(days=1, hours=3)
    order = Order.objects.filter(user=customer, status=Status.COMPLETED).exclude(link="").order_by("-pk").first()
    words = "The page still shows the old count. Is this only on my side? I attach what I see."
    files = [ContentFile(_screen(), "screen.png")]
    ticket = open_ticket(user=customer, reason=Reason.WRONG, text=words, order=order, files=files, now=at)
    said = "Thank you for the picture. The network updates its counts with a delay; please look again in an hour."
    answer(ticket.pk, actor=staff, text=said, now=at + timedelta(minutes=50))
    write_again(ticket.pk, user=customer, text="It has changed now. Thank you!", now=at + timedelta(hours=2))
    answer(ticket.pk, actor=staff, text="Glad to hear that.", now=at + timedelta(hours=2, minutes=9))
    Notice.objects.filter(sent_at=None, created_at__lt=now, key__contains="ticket:").update(sent_at=now, tries=1)


def _screen() -> bytes:
    """Return a small picture of a page with a few lines and a number."""
    image = Image.new("RGB", (640, 360), "#f4f6f3")
    pen = ImageDraw.Draw(image)
    pen.ellipse((40, 40, 120, 120), fill="#0b5f4a")
    for top, width in ((50, 240), (90, 160), (180, 520), (220, 470), (260, 500)):
        pen.rounded_rectangle((150 if top < 150 else 40, top, 150 + width, top + 18), 9, fill="#d7dfd9")
    pen.text((150, 130), "1,204", fill="#16221d", font_size=28)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
