"""Tickets at the admin: the queue, and a page from which one is answered."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.lists import in_one_line
from accounts.admin.widgets import EMPTY, ReadOnlyAdmin
from accounts.moments import write_distance
from catalog.browse.durations import write_short_duration
from support.admin.answer_times import answer_times
from support.admin.files import attachment_of
from support.admin.forms import AnswerForm, AssignForm, NoteForm
from support.admin.queue import ORDER, QueueFilter, matching
from support.admin.ticket_acts import ACTS, Done, Refused
from support.admin.ticket_page import page_of
from support.first_answers.canned import offered_for
from support.models import Ticket
from upstream.reading.text import shortened

State = Ticket.State
STATE_COLOURS = {State.OPEN: "warning", State.WATCHED: "info", State.ANSWERED: "success", State.CLOSED: "default"}
QUEUE = "admin:support_ticket_changelist"
LONGEST_SUBJECT, LONGEST_ADDRESS = 32, 26


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Nothing of a ticket is edited: what staff does with one is said, and stays."""

    changes_nothing = frozenset({"support_ticket_fill"})
    list_display = ("waits", "asked", "shown_reason", "about", "shown_state", "assigned", "customer")
    list_display_links = ("asked",)
    list_filter = (QueueFilter, "reason", ("assignee", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "order", "top_up", "assignee")
    list_before_template = "admin/support/answer_times.html"
    search_fields = ("subject",)  # any: `get_search_results` is ours
    search_help_text = gettext_lazy("Number of the ticket or order, email address, or words of what was said")
    named_by = ("subject",)
    linked_by = ("user__id__exact",)
    sortable_by = ()
    fields = (
        *("user", "order", "top_up", "reason", "subject", "state", "assignee"),
        *("created_at", "waiting_since", "comes_back_at", "first_answer_at", "closed_at", "closed_by"),
        *("rating", "rating_text", "rated_at"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/act/", view(self.act_view), name="support_ticket_act"),
            path("<path:object_id>/fill/", view(self.fill_view), name="support_ticket_fill"),
            path("<path:object_id>/file/<int:pk>/", view(self.file_view), name="support_ticket_file"),
        ]
        return [*own, *super().get_urls()]

    def get_ordering(self, request: HttpRequest) -> Any:
        return ORDER

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return matching(queryset, search_term), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "answer_times": answer_times(now=timezone.now())}
        answered: HttpResponse = super().changelist_view(request, context)
        return answered

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the ticket; what is done with it is posted to an address of its own."""
        if request.method == "POST":
            raise PermissionDenied
        return self._page(request, self._ticket(request, object_id), extra_context=extra_context)

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do what the pressed button says, or show what is in its way, with everything as it was typed."""
        ticket = self._ticket(request, object_id)
        if not self._may_answer(request):
            raise PermissionDenied
        if request.method != "POST":
            kept = kept_of(request)
            return self._page(request, ticket, forms=_typed(ticket, kept)) if kept is not None else self._to(ticket)
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        match act(ticket, request):
            case Done(text, leaves):
                self.log_change(request, ticket, text)
                messages.success(request, text)
                return HttpResponseRedirect(reverse(QUEUE)) if leaves else self._to(ticket)
            case Refused(text, forms):
                messages.error(request, text)
                return self._page(request, self._ticket(request, object_id), forms=forms)

    def fill_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a canned answer into the field, below what was typed: it can be read, and nothing has been sent."""
        ticket = self._ticket(request, object_id)
        if not self._may_answer(request):
            raise PermissionDenied
        chosen = request.POST.get("canned", "")
        texts = {str(answer.pk): text for answer, text in offered_for(ticket)}
        if request.method != "POST" or chosen not in texts:
            return self._to(ticket)
        text = "\n\n".join(filter(None, (request.POST.get("text", "").rstrip(), texts[chosen])))
        kept = request.POST.copy()
        kept["text"] = text
        return self._page(request, ticket, forms=_typed(ticket, kept))

    def file_view(self, request: HttpRequest, object_id: str, pk: int) -> HttpResponse:
        """Send a file of the ticket as a download."""
        return attachment_of(self._ticket(request, object_id), pk)

    def _ticket(self, request: HttpRequest, object_id: str) -> Ticket:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tickets = Ticket.objects.select_related(
            "user__group", "order__service__quality", "top_up", "request", "assignee", "closed_by"
        )
        ticket = tickets.filter(pk=int(object_id)).first() if _is_number(object_id) else None
        if ticket is None:
            raise Http404
        return ticket

    def _page(self, request: HttpRequest, ticket: Ticket, **given: Any) -> HttpResponse:
        forms = given.get("forms")
        context = {
            **self.admin_site.each_context(request),
            **(given.get("extra_context") or {}),
            **page_of(ticket, request, may_answer=self._may_answer(request), now=timezone.now(), forms=forms),
            "opts": self.opts,
            "original": ticket,
            "title": str(ticket),
            "state_colour": STATE_COLOURS[State(ticket.state)],
        }
        return render(request, "admin/support/ticket.html", context)

    def _may_answer(self, request: HttpRequest) -> bool:
        return request.user.has_perm("support.change_ticket")

    def _to(self, ticket: Ticket) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:support_ticket_change", args=[ticket.pk]))

    # A row is a line: what is longer is cut, and the ticket's own page has all of it.
    @display(description=gettext_lazy("waits"), ordering="waiting_since")
    def waits(self, ticket: Ticket) -> str:
        if ticket.waiting_since is None:
            return EMPTY
        waited = write_short_duration(int((timezone.now() - ticket.waiting_since).total_seconds()))
        return in_one_line(waited)

    @display(description=gettext_lazy("ticket"), ordering="subject")
    def asked(self, ticket: Ticket) -> str:
        return in_one_line(str(ticket), LONGEST_SUBJECT)

    @display(description=gettext_lazy("customer"), ordering="user__email")
    def customer(self, ticket: Ticket) -> str:
        return shortened(ticket.user.email, LONGEST_ADDRESS)

    @display(description=gettext_lazy("assigned to"), ordering="assignee__email")
    def assigned(self, ticket: Ticket) -> str:
        return ticket.assignee.email.partition("@")[0] if ticket.assignee else EMPTY

    @display(description=gettext_lazy("reason"), ordering="reason", label=True)
    def shown_reason(self, ticket: Ticket) -> str:
        return str(ticket.get_reason_display())

    @display(description=gettext_lazy("about"), ordering="order")
    def about(self, ticket: Ticket) -> str:
        if ticket.order_id:
            return f"#{ticket.order_id}"
        return ticket.top_up.reference if ticket.top_up is not None else EMPTY

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, ticket: Ticket) -> tuple[str, str]:
        label = str(ticket.get_state_display())
        if ticket.comes_back_at is not None:
            label = f"{label} · {write_distance(ticket.comes_back_at, now=timezone.now())}"
        return ticket.state, label


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _typed(ticket: Ticket, data: Any) -> dict[str, Any]:
    """Return the forms as they were typed, without errors: nothing has been sent."""
    forms: dict[str, Any] = {
        "answer": AnswerForm(data, ticket=ticket, newest=0),
        "note": NoteForm(data),
        "assign": AssignForm(data),
    }
    shown = {name: form for name, form in forms.items() if any(field in data for field in form.fields)}
    for form in shown.values():
        form._errors = ErrorDict()
    return shown
