"""What support shows on a customer's page: the tickets."""

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.models import User
from support.models import Ticket

State = Ticket.State


@shows_of_customers("support.ticket", place=50)
def tickets(user: User, request: HttpRequest) -> Block:
    """Show how many there are, and the newest; two statements."""
    theirs = Ticket.objects.filter(user=user)
    counted = dict(theirs.order_by().values_list("state").annotate(count=Count("pk")))
    waiting = counted.get(State.OPEN, 0)
    lines = [
        (_("In all"), number_format(sum(counted.values()), force_grouping=True) if counted else _("none")),
        (_("Waiting for us"), number_format(waiting, force_grouping=True) if waiting else ""),
    ]
    rows = [
        Row(f"#{pk} · {subject}", str(State(state).label), reverse("admin:support_ticket_change", args=[pk]))
        for pk, subject, state in theirs.order_by("-pk").values_list("pk", "subject", "state")[:NEWEST]
    ]
    every = f"{reverse('admin:support_ticket_changelist')}?user__id__exact={user.pk}&queue=all" if rows else ""
    return Block(_("Tickets"), lines, rows=rows, all_link=every)
