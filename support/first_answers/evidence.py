"""What is known of a stalled order, as a note for staff: what it looked like when its customer asked."""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from catalog.browse.durations import write_duration
from orders.models import Order
from support.first_answers.asked import Asked, count
from support.first_answers.moments_in_text import keep_moment


def evidence_note(asked: Asked, order: Order) -> str:
    """Return the note, in the language of the shop's staff."""
    with translation.override(settings.LANGUAGE_CODE):
        return "\n".join(f"{name}: {value}" for name, value in _facts(asked, order) if value)


def _facts(asked: Asked, order: Order) -> list[tuple[str, str]]:
    to_start, to_end = asked.most_seconds(to_start=True), asked.most_seconds(to_start=False)
    passed = int((asked.now - order.created_at).total_seconds())
    done = order.done
    return [
        (_("Status"), f"{order.get_status_display()} ({order.upstream_word or '–'})"),
        (_("Upstream order"), order.upstream_id or "–"),
        (_("Paid"), keep_moment(order.created_at)),
        (_("Sent"), keep_moment(order.sent_at) if order.sent_at else "–"),
        (_("Last checked"), keep_moment(order.polled_at) if order.polled_at else "–"),
        (_("Time so far"), write_duration(passed)),
        (_("Nine in ten have begun within"), write_duration(to_start) if to_start else ""),
        (_("Nine in ten are done within"), write_duration(to_end) if to_end else _("not measured")),
        (_("Start count"), count(order.start_count) if order.start_count is not None else "–"),
        (_("Delivered"), f"{'–' if done is None else count(done)} / {count(order.quantity)}"),
    ]
