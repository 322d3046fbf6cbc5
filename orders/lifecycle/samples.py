"""Samples of our answers to requests about orders."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications.kinds import ANSWERS
from notifications.samples import Sample
from orders.lifecycle.service_requests import words_of_answer
from orders.models import ServiceRequest
from orders.notices.samples import sample_order


def _refill_declined(reader: User) -> tuple[str, str]:
    request = ServiceRequest(
        pk=1,
        order=sample_order(reader),
        kind=ServiceRequest.Kind.REFILL,
        state=ServiceRequest.State.DECLINED,
        answer=gettext("The time in which it can be refilled is over."),
    )
    return words_of_answer(request)


def _cancel_done(reader: User) -> tuple[str, str]:
    order = sample_order(reader)
    return words_of_answer(
        ServiceRequest(pk=1, order=order, kind=ServiceRequest.Kind.CANCEL, state=ServiceRequest.State.DONE)
    )


SAMPLES = [
    Sample("refill-declined", ANSWERS, _("A refill isn't possible"), _refill_declined),
    Sample("cancel-done", ANSWERS, _("A cancellation has been requested"), _cancel_done),
]
