"""The audit of claims: what they say they moved is what moved, and whatever is changed behind its back is found."""

import pytest
from django.utils import timezone

from orders.accounting.audit import audit
from orders.accounting.report import report
from orders.accounting.report.periods import Span, today
from orders.claims.answering import answer_claims
from orders.fulfilment.forward import forward_order
from orders.models import ClaimAnswer, GoodsClaim, Order
from wallet.models import MoneyRequest

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
EACH, COST = 1_875_000, 1_500_000


@pytest.fixture
def settled(bought, claim, sam, client_upstream):
    """Line 1 refunded, 2 and 3 replaced, 4 refused; 5 waits. Returns the replacement."""
    claim(1, 2, 3, 4, 5)
    for kind, lines in (("refunded", [1]), ("replaced", [2, 3]), ("refused", [4])):
        answer_claims(bought.pk, kind=kind, lines=lines, text="Because.", actor=sam, now=timezone.now())
    made = Order.objects.get(original=bought)
    assert forward_order(made.pk, client=client_upstream, clock=timezone.now)
    return made


def problems() -> list[str]:
    return audit(client=None, now=timezone.now()).problems


def test_audit_knows_claims_and_finds_nothing(settled):
    found = audit(client=None, now=timezone.now())

    assert found.problems == []
    assert ("claims for goods: given back", "1.875 USD") in found.figures
    assert ("claims for goods: waiting", "1") in found.figures


BROKEN = {
    "a refund in the books that no answer says": (
        lambda bought, made: ClaimAnswer.objects.filter(kind="refunded").update(refund_micros=EACH - 1),
        "claims gave back 1.874999, but the ledger 1.875",
    ),
    "an answer for another order": (
        lambda bought, made: ClaimAnswer.objects.filter(kind="refused").update(order=made),
        "the claim for line 4 has the answer of another",
    ),
    "an order for nothing": (
        lambda bought, made: (
            GoodsClaim.objects.filter(state="replaced").update(state="waiting", answer=None),
            ClaimAnswer.objects.filter(kind="replaced").update(replacement=None, carried_out_at=None),
        ),
        "cost its customer nothing, and replaces nothing",
    ),
    "more pieces than lines": (
        lambda bought, made: Order.objects.filter(pk=made.pk).update(quantity=9),
        "has 9 pieces for 2 lines",
    ),
    "a replacement for somebody else": (
        lambda bought, made: Order.objects.filter(pk=made.pk).update(original=made.pk),
        "is not what replaces goods",
    ),
    "a line that is settled no more": (
        lambda bought, made: GoodsClaim.objects.filter(line=2).update(state="waiting", answer=None),
        "an answer settles lines 3, but says 2-3",
    ),
    "a cost that nobody asked for": (
        lambda bought, made: MoneyRequest.objects.filter(amount_micros=2 * COST).update(amount_micros=1),
        "a claim was replaced with no move by hand that says so",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_audit_when_a_claim_is_changed_behind_its_back_says_so(bought, settled, name):
    breaks, words = BROKEN[name]

    breaks(bought, settled)

    assert [problem for problem in problems() if words in problem]


def test_audit_when_a_claim_was_answered_by_who_is_tied_to_the_customer_says_so(settled, ann, sam):
    type(ann).objects.filter(pk=ann.pk).update(referred_by=sam)

    assert [problem for problem in problems() if "a claim was answered by sam@example.com" in problem]


def test_books_show_refunds_and_replacements_of_claims_apart(bought, settled):
    line = report([Span(today(), today())]).whole

    assert (line.sales, line.refunds, line.cost) == (10 * EACH, 0, 10 * COST)
    assert (line.claim_refunds, line.replacements) == (EACH, 2 * COST)
    assert line.margin == 10 * (EACH - COST) - EACH - 2 * COST
    assert line.liability == line.moved == 100_000_000 - 10 * EACH + EACH
