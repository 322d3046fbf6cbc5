"""The queue of tickets: who waits longest comes first, and what else it may be narrowed to."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.list_search import found_by
from support.models import Message, Ticket
from upstream.reading.text import line

State = Ticket.State
FOUND_IN = ("subject", "user__email", "id", "order__id__exact")
WORDS = 6
# Open ones by how long they wait; of the others the one that changed last comes first.
ORDER = (F("waiting_since").asc(nulls_last=True), "-changed_at", "-pk")


class QueueFilter(admin.SimpleListFilter):
    """Without a choice the list is what waits for staff; a search looks everywhere."""

    title = gettext_lazy("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        own = [("mine", _("Assigned to me")), ("nobody", _("Assigned to nobody"))]
        states = [(state.value, str(state.label)) for state in State if state != State.OPEN]
        return [*own, *states, ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        """Name the choice that is none: what waits."""
        waiting, *rest = super().choices(changelist)
        return [{**waiting, "display": _("Waiting for us")}, *rest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        chosen, waiting = self.value(), Q(state=State.OPEN)
        if chosen is None:
            return queryset if request.GET.get("q", "").strip() else queryset.filter(waiting)
        if chosen == "mine":
            return queryset.filter(waiting, assignee=request.user.pk)
        if chosen == "nobody":
            return queryset.filter(waiting, assignee=None)
        return queryset.filter(state=chosen) if chosen in State.values else queryset


def matching(tickets: QuerySet[Ticket], typed: str) -> QuerySet[Ticket]:
    """Return the tickets in which every word typed is found: as our number or an order's, in the customer's address,
    in the subject, or in what was said."""
    for word in line(typed).split()[:WORDS]:
        said = Message.objects.filter(text__icontains=word).values("ticket")
        tickets = tickets.filter(found_by(Ticket, FOUND_IN, word) | Q(pk__in=said))
    return tickets
