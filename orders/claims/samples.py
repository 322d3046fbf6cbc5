"""Samples of our answers to reports about goods."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications.kinds import GOODS
from notifications.samples import Sample
from orders.claims.answering import words_of_claim
from orders.models import ClaimAnswer
from orders.notices.samples import ACCOUNTS, sample_order

Kind = ClaimAnswer.Kind


def _answer(**fields: Any) -> Callable[[User], tuple[str, str]]:
    def make(reader: User) -> tuple[str, str]:
        return words_of_claim(sample_order(reader, title=ACCOUNTS, quantity=10), ClaimAnswer(pk=1, **fields))

    return make


def _refused(reader: User) -> tuple[str, str]:
    # Staff never sees what a line says: whether one works, those we buy from find out.
    text = gettext("It has been checked and works. Please try again without a VPN.")
    answer = ClaimAnswer(pk=1, kind=Kind.REFUSED, lines=[3], text=text)
    return words_of_claim(sample_order(reader, title=ACCOUNTS, quantity=10), answer)


SAMPLES = [
    Sample(
        "claim-replaced",
        GOODS,
        _("Lines are replaced"),
        _answer(kind=Kind.REPLACED, lines=[2, 5], replacement_id=1043),
    ),
    Sample(
        "claim-refunded",
        GOODS,
        _("The money for lines is back"),
        _answer(kind=Kind.REFUNDED, lines=[1, 2, 3], refund_micros=375_000),
    ),
    Sample("claim-refused", GOODS, _("A report about goods is refused"), _refused),
]
