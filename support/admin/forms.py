"""What staff types at a ticket."""

from typing import Any

from django import forms
from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts.models import User
from accounts.typed_forms import Form
from orders.models import ServiceRequest
from support.attachments.file_field import FilesField
from support.models import Ticket
from support.tickets.limits import LONGEST_TEXT

RequestState = ServiceRequest.State


class AnswerForm(Form):
    """An answer to the customer. `key` and `after` keep a second press, and a colleague, from being overlooked."""

    text = forms.CharField(
        label=_("Answer"),
        max_length=LONGEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )
    outcome = forms.ChoiceField(
        label=_("The request"),
        required=False,
        choices=(
            ("", _("stays open")),
            (RequestState.DONE, _("is done")),
            (RequestState.DECLINED, _("is declined")),
        ),
        widget=UnfoldAdminRadioSelectWidget,
    )
    files = FilesField(label=_("Files"), required=False)  # type: ignore[assignment]  # a field, as the class is written
    key = forms.RegexField(r"\A[A-Za-z0-9]{1,64}\Z", widget=forms.HiddenInput)  # no colon, as rules have in theirs
    after = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, ticket: Ticket, newest: int, **kwargs: Any) -> None:
        """`newest` is the id of the newest message on the page."""
        kwargs["initial"] = {"key": get_random_string(24), "after": newest}
        super().__init__(*args, **kwargs)
        if ticket.request is None or ticket.request.state != RequestState.OPEN:
            del self.fields["outcome"]


class NoteForm(Form):
    note = forms.CharField(
        label=_("Internal note"),
        max_length=LONGEST_TEXT,
        help_text=_("Only staff reads it."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class AssignForm(Form):
    to = forms.ModelChoiceField(
        label=_("Assigned to"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Nobody"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = who_answers()  # type: ignore[attr-defined]  # a field with a queryset


def who_answers() -> QuerySet[User]:
    """Return the staff that may answer tickets."""
    able: QuerySet[User] = ModelBackend().with_perm("support.change_ticket", include_superusers=True)
    return able.filter(is_staff=True).order_by("email")
