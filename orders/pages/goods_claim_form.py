"""What a customer types to report lines that don't work."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.typed_forms import Form
from orders.lifecycle.goods_claims import LINES_AT_ONCE, LONGEST_TEXT, ClaimRefused
from orders.lifecycle.line_numbers import spans_of
from orders.models import GoodsClaim

LONGEST_TYPED = 400
_SPAN = re.compile(r"(?:№|#|no\.?\s)?\s?(\d{1,9})(?:\s?[-–—]\s?(?:№|#)?(\d{1,9}))?", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s]*[,;\n][\s]*|(?<=\d)\s+(?=[\d№#])")


class LinesField(forms.CharField):
    """Numbers of lines: "3, 7-9"."""

    def to_python(self, value: Any) -> Any:
        """Return the numbers, each once, in their order."""
        text = super().to_python(value) or ""
        if len(text) > LONGEST_TYPED:
            raise ValidationError(_("Enter line numbers like 3, 7-9."))
        numbers: set[int] = set()
        for part in filter(None, _BETWEEN.split(text)):
            span = _SPAN.fullmatch(part.strip())
            if span is None:
                raise ValidationError(_("Enter line numbers like 3, 7-9."))
            first, last = int(span[1]), int(span[2] or span[1])
            if last < first:
                raise ValidationError(_("Enter line numbers like 3, 7-9."))
            if last - first >= LINES_AT_ONCE:
                raise ValidationError(_("Report at most %(count)d lines at once.") % {"count": LINES_AT_ONCE})
            numbers.update(range(first, last + 1))
        return sorted(numbers)


class GoodsClaimForm(Form):
    """Which lines, and what is wrong with them."""

    lines = LinesField(
        label=gettext_lazy("Line numbers"),
        help_text=gettext_lazy("For example 3, 7-9. The number stands before each line."),
        error_messages={"required": gettext_lazy("Enter the numbers of the lines that don't work.")},
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Problem"),
        choices=GoodsClaim.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what is wrong.")},
    )
    text = forms.CharField(
        label=gettext_lazy("Anything else we should know"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Leave logins and passwords out: the line numbers are enough."),
    )

    def refuse(self, refusal: ClaimRefused) -> None:
        """Show a refusal beside the field that it is about."""
        self.add_error(refusal.field or None, str(refusal))


def typed_lines(typed: str) -> str:
    """Return the numbers that a link asks for, as the form shows them; nothing for nonsense."""
    try:
        return spans_of(LinesField().clean(typed))
    except ValidationError:
        return ""
