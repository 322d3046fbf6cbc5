"""Answering claims: each line once, nobody for themselves, and what is too much for one person by two.

A refund or replacement is a move by hand like others (orders.lifecycle.refund_requests): done at once, or waiting for
a second person. While it waits the claims do, too; whoever agrees carries out what was shown, or nothing if that
would come to something else by then.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.templatetags.money import money
from catalog.operations.stock import refresh_stock
from notifications.kinds import GOODS
from notifications.outbox import tell_customer
from orders.claims.replacing import place_replacement
from orders.claims.terms import (
    AlreadyAnswered,
    AnswerRefused,
    Terms,
    claimed_order,
    paid_order,
    terms_of,
)
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.listeners import tell_of_changes
from orders.lifecycle.own_orders import refuse_own_order
from orders.lifecycle.refund_requests import ABOUT, CLAIM
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.transitions import Change, write_events
from orders.models import ClaimAnswer, GoodsClaim, Order, OrderEvent, RefundReason
from wallet.models import MoneyRequest
from wallet.operations import SubjectChanged
from wallet.operations.second_person import is_too_much_for_one, write_request

ANSWERED = "claim_answered"  # what listeners hear
LONGEST_TEXT = 500
Kind = ClaimAnswer.Kind


def answer_claims(
    order_id: int,
    *,
    kind: str,
    lines: Iterable[int],
    text: str,
    actor: User,
    expected_micros: int | None = None,
    now: datetime,
) -> ClaimAnswer:
    """Answer waiting claims of an order for these lines; `text` is for the customer, and needed for a refusal.

    `expected_micros` is what staff was shown that the answer moves (`Terms.amount_micros`); None takes whatever it is.
    The answer returned is carried out, or its request waits for a second person. Call it outside any transaction.

    Raises NotYourOwnMoney, AnswerRefused (AlreadyAnswered for lines that wait no more), ValueError for an unknown kind;
    nothing has changed then.
    """
    kind, text = Kind(kind), text.strip()
    if kind == Kind.REFUSED and not text:
        raise AnswerRefused(_("Say why: the customer reads it."))
    if len(text) > LONGEST_TEXT:
        raise AnswerRefused(_("Use at most %(count)d characters.") % {"count": LONGEST_TEXT})
    order = claimed_order(order_id)
    refuse_own_order(actor, order)
    if kind == Kind.REPLACED and order.service is not None:
        refresh_stock(order.service)
    with transaction.atomic():
        terms = terms_of(order, kind, lines, now=now)
        if expected_micros is not None and terms.amount_micros != expected_micros:
            raise _changed()
        answer = ClaimAnswer(
            order=order,
            kind=kind,
            lines=terms.lines,
            text=text,
            refund_micros=terms.refund_micros,
            cost_micros=terms.cost_micros,
            answered_by=actor,
            answered_at=now,
        )
        if kind != Kind.REFUSED:
            answer.request = _ask(order, terms, actor, now)
        if answer.request is None or answer.request.state == MoneyRequest.State.DONE:
            _carry_out(answer, now)
        else:
            answer.save(force_insert=True)
    return answer


def carry_out_claim(request: MoneyRequest, *, now: datetime) -> None:
    """Do what two agreed on; part of the transaction that closes the request.

    Raises SubjectChanged where the lines are answered by now, or the answer would move something else.
    """
    answer = ClaimAnswer.objects.select_related("answered_by").get(request=request)
    answer.request = request
    try:
        _carry_out(answer, now)
    except AnswerRefused as refusal:
        raise SubjectChanged from refusal


def claim_of_request(request: MoneyRequest) -> GoodsClaim | None:
    """Return the first claim that a request is about, for a link to its page."""
    answer = ClaimAnswer.objects.filter(request=request).first()
    return None if answer is None else GoodsClaim.objects.filter(order=answer.order_id, line=answer.lines[0]).first()


def _ask(order: Order, terms: Terms, actor: User, now: datetime) -> MoneyRequest:
    """Write the request that stands for what moves: it counts for who asks, or waits for a second person."""
    paid = paid_order(order)
    about = f"{ABOUT}{paid.pk}"
    if MoneyRequest.objects.filter(about=about, state=MoneyRequest.State.WAITING).exists():
        raise AnswerRefused(_("A refund or replacement for this order is already waiting for a second person."))
    what = _("Replacement of lines %(lines)s") if terms.kind == Kind.REPLACED else _("Refund of lines %(lines)s")
    request = MoneyRequest(
        user=order.user,
        kind=MoneyRequest.Kind.REFUND,
        amount_micros=terms.amount_micros,
        about=about,
        act=CLAIM,
        note=f"{what % {'lines': spans_of(terms.lines)}}: {order.title}"[:300],
        request_id=str(uuid.uuid4()),
        asked_by=actor,
    )
    try:
        write_request(request, waits=is_too_much_for_one(actor, terms.amount_micros, now), now=now)
    except ValueError as problem:
        raise AnswerRefused(str(problem)) from problem
    return request


def _carry_out(answer: ClaimAnswer, now: datetime) -> None:
    """Settle the lines and move the money; part of the caller's transaction. Raises AnswerRefused: roll back then."""
    actor = answer.answered_by
    # Held until the end, so that what upstream says of it, and of what replaced its goods, comes before all of this, or
    # after. NO KEY: the customer may report further lines meanwhile.
    paid_id = answer.order.original_id or answer.order_id
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in={paid_id, answer.order_id}).order_by("pk")
    held = {row.pk: row for row in rows}[paid_id]
    order = claimed_order(answer.order_id)
    terms = terms_of(order, answer.kind, answer.lines, now=now)
    if (terms.refund_micros, terms.cost_micros) != (answer.refund_micros, answer.cost_micros):
        raise _changed()
    answer.carried_out_at = now
    if answer.kind == Kind.REPLACED:
        answer.replacement = place_replacement(order, len(answer.lines), now=now)
    if answer.pk is None:
        answer.save(force_insert=True)
    else:
        answer.save(update_fields=["carried_out_at", "replacement"])
    waiting = GoodsClaim.objects.filter(order=order, line__in=answer.lines, state=GoodsClaim.State.WAITING)
    if waiting.update(state=answer.kind, answer=answer) != len(answer.lines):
        raise AlreadyAnswered
    if answer.kind == Kind.REFUNDED:
        paid = paid_order(order)
        total_micros = held.refunded_micros + answer.refund_micros
        evidence = {"claim": answer.pk, "lines": answer.lines}
        given = refund_up_to(paid, total_micros, why=RefundReason.CLAIM, now=now, actor=actor, evidence=evidence)
        if given != answer.refund_micros:
            raise _changed()
    data = {"claim": answer.kind, "lines": answer.lines, "text": answer.text, "replacement": answer.replacement_id}
    change = Change(order.pk, data, {"answer": answer.pk})
    write_events([change], code=OrderEvent.Code.RESOLVED, status=order.status, now=now, actor=actor)
    tell_of_changes([order.pk], ANSWERED, now=now)
    _tell_customer(order, answer, now)


def _changed() -> AnswerRefused:
    return AnswerRefused(_("What this answer would move has changed meanwhile. Look at it again; nothing was changed."))


def what_became_of_lines(kind: str, lines: Iterable[int], replacement: int | None, text: str) -> str:
    """Return in words for the customer what we answered about these lines."""
    lines = list(lines)
    words = {"lines": spans_of(lines), "number": replacement}
    if kind == Kind.REPLACED:
        what = ngettext(
            "Line %(lines)s is replaced at no charge with order #%(number)s.",
            "Lines %(lines)s are replaced at no charge with order #%(number)s.",
            len(lines),
        )
    elif kind == Kind.REFUNDED:
        what = ngettext(
            "The money for line %(lines)s is back on your balance.",
            "The money for lines %(lines)s is back on your balance.",
            len(lines),
        )
    else:
        what = ngettext(
            "We can't replace or refund line %(lines)s.", "We can't replace or refund lines %(lines)s.", len(lines)
        )
    return f"{what % words} {text}".strip()


def _tell_customer(order: Order, answer: ClaimAnswer, now: datetime) -> None:
    with translation.override(order.user.mail_language):
        subject, body = words_of_claim(order, answer)
        path = reverse("orders:detail", args=[order.pk])
        tell_customer(order.user, f"claim-answer:{answer.pk}", subject, body, now, kind=GOODS, url=path)


def words_of_claim(order: Order, answer: ClaimAnswer) -> tuple[str, str]:
    """Return subject and text by which the customer is told an answer, in the language that is active."""
    subject = _("Our answer about the goods of order #%(number)s") % {"number": order.pk}
    parts = [
        order.shown_title,
        what_became_of_lines(answer.kind, answer.lines, answer.replacement_id, answer.text),
    ]
    if answer.refund_micros:
        parts.append(_("Refunded: %(amount)s") % {"amount": money(answer.refund_micros)})
    parts.append(settings.SITE_URL + reverse("orders:detail", args=[order.pk]))
    return subject, "\n\n".join(parts)
