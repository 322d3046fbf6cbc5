"""What a customer types to ask, to reply and to say whether an answer helped."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy

from accounts.typed_forms import FilterForm, Form
from support.attachments.file_field import FilesField
from support.models import Ticket
from support.tickets.limits import LONGEST_TEXT
from support.tickets.refusals import TicketRefused
from support.tickets.thread import LONGEST_RATING_TEXT

KEY_LENGTH = 22


class WritesForm(Form):
    """Words with files, sent once: the same page sent twice has the same key."""

    text = forms.CharField(
        label=gettext_lazy("Your message"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Write a few words.")},
    )
    files = FilesField(  # type: ignore[assignment]  # a form takes its fields away from its class
        label=gettext_lazy("Files"),
        required=False,
        help_text=gettext_lazy("Up to 5 files of 4 MB each: PNG, JPEG, WebP, PDF, or plain text."),
    )
    # Letters and digits alone: what orders and rules say has a colon in its key, and no form may take that place.
    key = forms.RegexField(rf"\A[A-Za-z0-9]{{{KEY_LENGTH}}}\Z", widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"key": get_random_string(KEY_LENGTH)})
        super().__init__(*args, **kwargs)

    @property
    def files_are_lost(self) -> bool:
        """Whether files came with what was refused: a browser doesn't send them a second time by itself."""
        return self.is_bound and bool(self.errors) and bool(self.files)

    def refuse(self, refusal: TicketRefused) -> None:
        """Show a refusal beside the field that it is about."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


class QuestionForm(WritesForm):
    """A new question; which reasons it offers, what it is about says."""

    reason = forms.ChoiceField(
        label=gettext_lazy("What is the matter?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what is the matter.")},
    )
    field_order = ("reason", "text", "files", "key")

    def __init__(self, *args: Any, reasons: Sequence[Ticket.Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [(reason.value, reason.label) for reason in reasons]  # type: ignore[attr-defined]


class ReplyForm(WritesForm):
    """A further message in a ticket."""


class RatingForm(Form):
    """Whether the answer helped."""

    rating = forms.ChoiceField(
        label=gettext_lazy("Did this help?"),
        choices=[(value, label) for value, label in reversed(Ticket.Rating.choices)],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose an answer.")},
    )
    rating_text = forms.CharField(
        label=gettext_lazy("Anything you'd like to add"),
        required=False,
        max_length=LONGEST_RATING_TEXT,
    )


class OrderNumberForm(FilterForm):
    """The number of an order that is not among the newest."""

    number = forms.CharField(label=gettext_lazy("Another order's number"), max_length=24, required=False)


class TicketFilterForm(FilterForm):
    """The words that a customer searches their own tickets for."""

    q = forms.CharField(max_length=200, required=False)

    @property
    def words(self) -> str:
        """What was typed; "" for nonsense."""
        return str(self.cleaned_data.get("q") or "") if self.is_valid() else ""
