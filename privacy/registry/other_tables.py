"""What customers keep an eye on, and what their programs use."""

from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import quote_plus

from django.db.models import Q

from accounts.models import User
from privacy.registry.account_tables import addresses_of
from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Table


def _searches(user: User) -> Any:
    """Jobs that have ended whose list was searched for an address of the account's."""
    from jobs.models import StaffJob

    named = reduce(or_, (Q(back__icontains=quote_plus(address)) for address in addresses_of(user)))
    return StaffJob.objects.filter(named, finished_at__isnull=False)


def _file_parts(user: User) -> Any:
    from jobs.models import JobFilePart

    return JobFilePart.objects.filter(job__in=_searches(user).order_by().values("pk"))


OTHER_TABLES = (
    Table(
        "catalog.Favorite",
        Export("favorites", ("created_at", "service=service__name", "service_id")),
        Deleted(),
        owner="user",
    ),
    Table(
        "catalog.StockAlert",
        Export("stock_alerts", ("created_at", "service=service__name", "service_id", "notified_at")),
        Deleted(),
        owner="user",
    ),
    Table(
        "api.WebhookDelivery",
        Export(
            "webhook_messages",
            (
                *("event_id", "event", "webhook=webhook__url", "order_id", "created_at", "attempts", "delivered_at"),
                *("given_up_at", "http_status", "error"),
            ),
        ),
        Deleted(),
        owner="webhook__user",
        others=("order",),
    ),
    Table(
        "api.Webhook",
        Export(
            "webhooks",
            ("id", "name", "url", "wants_orders", "wants_numbers", "created_at", "disabled_at", "disabled_because"),
        ),
        Deleted(),
        owner="user",
    ),
    Table(
        "support.AnnouncementDismissal",
        Export("dismissed_announcements", ("announcement_id", "dismissed_at")),
        Deleted(),
        owner="user",
    ),
    Table(
        "support.TermsAcceptance",
        Export("accepted_terms", ("version=version__number", "accepted_at", "door", "address")),
        Emptied({"address": None}, "that the terms were accepted, which version and when, belongs to the books"),
        owner="user",
    ),
    Table(
        "jobs.JobFilePart",
        LeftOut("rows of lists that staff saved as a file, for a week; where they come from they are exported"),
        # A file of a list that wasn't searched for the customer has their rows among others', until its week is over.
        Deleted(),
        rows=_file_parts,
        others=("job",),
        at_once=True,
    ),
    Table(
        "jobs.StaffJob",
        LeftOut("work of the staff in the background; what it changed shows in the rows that it changed"),
        Emptied(
            {"params": {}, "back": ""},
            "who of the staff had what done, and when. Of customers it has numbers of rows, for three months, and for "
            "a week what was searched for",
        ),
        rows=_searches,
        others=("asked_by",),
        at_once=True,
    ),
    Table("api.SimulatedWallet", LeftOut("play money of test keys"), Deleted(), owner="user"),
    Table(
        "api.SimulatedOrder", LeftOut("test orders, which buy nothing and are soon deleted"), Deleted(), owner="user"
    ),
)
