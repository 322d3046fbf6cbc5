"""Moments on pages: `{% moment order.created_at %}` is the one way to show one; texts take the filters."""

from datetime import date, datetime

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.moments import write_day, write_distance, write_moment, write_month, write_time

register = template.Library()

WRITERS = {"exact": write_moment, "time": write_time}


@register.simple_tag
def moment(at: date | None, style: str = "words") -> str | SafeString:
    """Show a moment: how far away it is (`words`), day and time (`exact`), the time alone (`time`), or its `day`.

    A date without a time has no zone, and is shown as its day, or its `month`. Nothing is shown where there is nothing.
    """
    if at is None:
        return ""
    if not isinstance(at, datetime):
        text = write_month(at) if style == "month" else write_day(at)
        return _rendered(at, style="", text=text)
    if style == "words":
        return _rendered(at, style=style, text=write_distance(at, now=timezone.now()), exact=write_moment(at))
    return _rendered(at, style=style, text=WRITERS.get(style, write_day)(at))


def _rendered(at: date, *, style: str, text: str, exact: str = "") -> SafeString:
    inputs = {"iso": at.isoformat(), "style": style, "text": text, "exact": exact}
    return mark_safe(render_to_string("components/time.html", inputs).strip())  # noqa: S308 - it may end a sentence


register.filter("moment_text", write_moment)


@register.filter
def moment_distance(at: datetime) -> str:
    """Return how far away a moment is in words, for pages whose styles are not ours; its title says the moment."""
    return write_distance(at, now=timezone.now())


register.filter("day_text", write_day)
register.filter("month_text", write_month)
