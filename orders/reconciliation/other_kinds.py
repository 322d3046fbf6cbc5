"""Whether what answers under an id is the order of another kind that has it, or one of its own with the same id.

Where kinds share one space of ids, and `status` answers for all of them, it is the same order; where they are counted
apart, these are two. The supplier's document says neither.
"""

from functools import cached_property

from orders.attempts.windows import forgotten, known_ids, unanswered, whole, windows_in_flight
from orders.fulfilment.rate_units import charge_matches
from orders.lifecycle.supply import Report, supplies
from orders.models import LostAttempt, Order, Status
from upstream.client import Client
from upstream.errors import InvalidAction, InvalidApiKey, Refused, UpstreamError

LOOKED_AT = 200


def is_word_about_the_kind(error: UpstreamError) -> bool:
    """Whether the supplier refused to say anything of an id that an order of another kind has: it is none of this."""
    return isinstance(error, Refused) and not isinstance(error, InvalidApiKey | InvalidAction)


class OtherKinds:
    """What is asked about the others when an order of one `kind` is looked for; as long as one round."""

    def __init__(self, kind: str, client: Client) -> None:
        self._kind, self._client = kind, client
        self._others = [other for other in supplies() if other != kind]

    def with_ids(self, ids: range) -> set[int]:
        """Return those of the ids that an order of another kind has."""
        return {number for other in self._others for number in known_ids(other, ids)}

    def have(self, number: int, report: Report) -> bool:
        """Whether the answer is about the order of another kind that has this id. Raises UpstreamError.

        Not, if another charge was taken, or if the question about a kind is answered for this kind alone.
        """
        told, known = report.charge_upstream_micros, self._charges(number)
        if told is not None and known and not any(charge_matches(told, charge) for charge in known):
            return False
        return self._are_answered_for is not False

    @cached_property
    def _are_answered_for(self) -> bool | None:
        """Whether a question about this kind is answered for orders of the others; None: there is none to try it with.

        Tried with an id that no order of this kind can have.
        """
        number = self._surely_only_theirs()
        if number is None:
            return None
        try:
            return supplies()[self._kind].look_up(self._client, str(number)) is not None
        except UpstreamError as error:
            if is_word_about_the_kind(error):
                return False
            raise

    def _surely_only_theirs(self) -> int | None:
        rows = Order.objects.filter(kind__in=self._others, answered_at__isnull=False).order_by("-id")
        texts = rows.values_list("upstream_id", flat=True)[:LOOKED_AT]
        doubtful = [*forgotten(self._kind), *windows_in_flight(self._kind)]
        doubtful += [attempt.window for attempt in unanswered(self._kind)]
        ids = {number for text in texts if (number := whole(text)) is not None}
        safe = {number for number in ids if not any(window.may_hold(number) for window in doubtful)}
        return max(safe - known_ids(self._kind, safe), default=None)

    def _charges(self, number: int) -> list[int]:
        """Return what was charged in the end for orders of the others with this id."""
        same = {"kind__in": self._others, "upstream_id": str(number)}
        over = Order.objects.filter(status=Status.COMPLETED, **same)
        losses = LostAttempt.objects.filter(state=LostAttempt.State.LOSS, **same)
        rows = [*over.values_list("charge_upstream_micros", flat=True)]
        rows += losses.values_list("charge_upstream_micros", flat=True)
        return [charge for charge in rows if charge is not None]
