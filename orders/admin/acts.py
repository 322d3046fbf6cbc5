"""The buttons of an order that decide nothing: a note, and to ask the supplier now."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.widgets import DialogForm
from orders.admin.choices import nobodys
from orders.admin.widgets import dialog
from orders.lifecycle.staff_acts import ask_now, write_note
from orders.models import Order
from upstream.reading.text import paragraphs

LONGEST_NOTE = 2000


class WriteNoteForm(DialogForm):
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("Stands in the order's timeline for staff; its customer never sees it."),
        widget=UnfoldAdminTextareaWidget,
    )


def fitting(order: Order) -> tuple[str, ...]:
    """Return the buttons that fit this order."""
    return (*(("ask",) if order.next_poll_at else ()), "note")


class Acts:
    """Two buttons, for an admin that has `_settle`."""

    _settle: Any

    @action(
        description=gettext_lazy("Ask upstream now"),
        url_path="act/ask",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Ask upstream now"),
            gettext_lazy("Its status is asked for within seconds, instead of when it would be its turn."),
            money=nobodys,
        ),
    )
    def ask(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: ask_now(int(object_id), actor=actor, now=timezone.now()),
            _("Upstream is asked about the order within seconds."),
        )

    @action(
        description=gettext_lazy("Write a note"),
        url_path="act/note",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Write a note"),
            gettext_lazy("For whoever looks at this order next. Nothing else changes."),
            WriteNoteForm,
            money=nobodys,
        ),
    )
    def note(self, request: HttpRequest, form: WriteNoteForm, object_id: str) -> HttpResponse:
        text = paragraphs(form.cleaned_data["text"])
        return self._settle(
            request,
            object_id,
            lambda actor: write_note(int(object_id), text, actor=actor, now=timezone.now()),
            _("The note is in the order's timeline."),
        )
