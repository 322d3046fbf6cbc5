"""Every address the shop answers, read from its routes, with arguments that lead to rows of one customer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import ApiKey, User
from api.models import Webhook, WebhookDelivery
from catalog.models import Category, Service
from notifications.models import Notice
from orders.models import DeliveredGoods, Kind
from preferences.models import Picture
from privacy.models import DataExport
from sms.models import Number, Project
from support.models import Announcement, Attachment, Document, Ticket
from wallet.models import Receipt, TopUp


@dataclass(frozen=True)
class Route:
    """One address of the shop, by the name it is reversed with."""

    name: str
    pattern: str


def routes() -> list[Route]:
    """Return every route there is, the admin's last."""
    found = sorted({Route(name, pattern) for name, pattern in _walk(get_resolver(), "", "")}, key=lambda one: one.name)
    return sorted(found, key=is_of_the_admin)


def is_of_the_admin(route: Route) -> bool:
    return route.pattern.startswith("admin/")


def _walk(resolver: URLResolver, before: str, namespace: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            if entry.name:  # one without a name is a second spelling of another one
                yield f"{namespace}:{entry.name}".lstrip(":"), pattern
        else:
            yield from _walk(entry, pattern, entry.namespace or namespace)


class Addresses:
    """Addresses of what belongs to one customer: their newest rows stand in place of the arguments of the routes."""

    def __init__(self, user: User) -> None:
        order = DeliveredGoods.objects.filter(order__user=user).latest("pk").order
        number = Number.objects.filter(order__user=user).latest("pk")
        top_up = TopUp.objects.filter(user=user).latest("pk")
        service = Service.objects.latest("pk")
        webhook = Webhook.objects.filter(user=user).latest("pk")
        delivery = WebhookDelivery.objects.filter(webhook=webhook).latest("pk")
        key = ApiKey.objects.filter(user=user).latest("pk")
        session, _new = UserSession.objects.get_or_create(user=user, session_key="k", ip="203.0.113.9")
        export, _new = DataExport.objects.get_or_create(user=user, state="ready", file_name="none.zip")
        shown = {"subject": "News"}
        notice, _new = Notice.objects.get_or_create(shown, user=user, key="walk", in_bell=True, url="/orders/")
        picture, _new = Picture.objects.get_or_create(digest="0" * 64, content=b"", width=1, height=1)
        assert order.kind == Kind.SERVICE
        self._arguments: dict[str, dict[str, Any]] = {
            "catalog:category": {"pk": Category.objects.latest("pk").pk},
            "catalog:favorite": {"pk": service.pk},
            "orders:": {"pk": order.pk, "service_id": service.pk, "kind": "refill"},
            "wallet:": {
                "reference": top_up.reference,
                "number": Receipt.objects.filter(user=user).latest("pk").number,
                "name": "stripe",
            },
            "wallet:month": {"year": 2026, "number": 1},
            "sms:": {"order_id": number.order_id, "project_id": number.project_id},
            "sms:site": {"pk": Project.objects.get(pk=number.project_id).site_id},
            "sms:country": {"code": Project.objects.get(pk=number.project_id).country.code},
            "support:": {"pk": Ticket.objects.filter(user=user).latest("pk").pk},
            "support:attachment": {"pk": Attachment.objects.filter(message__ticket__user=user).latest("pk").pk},
            "api:key": {"pk": key.pk},
            "api:webhook": {"pk": webhook.pk},
            "api:webhook_delivery": {"pk": delivery.pk},
            "api:webhook_replay": {"pk": delivery.pk},
            "end_session": {"pk": session.pk},
            "mfa_": {"pk": Authenticator.objects.filter(user=user).latest("pk").pk},
            "undo_email_change": {"token": "1:x:y"},
            "notices:open": {"pk": notice.pk},
            "notices:unsubscribe": {"token": "1.orders~x"},
            "privacy:download": {"pk": export.pk},
            "privacy:keep": {"token": "1:x:y"},
            "support:dismiss_announcement": {"pk": Announcement.objects.latest("pk").pk},
            "support:status_feed": {"language": "en"},
            "sitemap_file": {"section": "services", "number": 1},
            "service_worker": {"language": "en"},
            "offline": {"language": "en"},
            "face_styles": {"color": "7a1fa2"},
            "face_picture": {"digest": picture.digest},
            "documents:": {"slug": Document.objects.latest("pk").slug},
            "ref": {"code": "ABCDEFGHJK"},
            "account_confirm_email": {"key": "MQ:1:x"},
            "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
        }

    def of(self, route: Route) -> str:
        """Return the address of a route. Raises LookupError where it takes an argument that nobody told us of."""
        wanted = re.findall(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>", route.pattern)
        known: dict[str, Any] = {}
        for prefix in sorted(self._arguments, key=len):
            if route.name.startswith(prefix):
                known |= self._arguments[prefix]
        try:
            return reverse(route.name, kwargs={name: known[name] for name in map("".join, wanted)})
        except (KeyError, NoReverseMatch) as error:
            raise LookupError(f"{route.name} ({route.pattern}): no row of the customer's to ask it for") from error


def admin_addresses() -> list[str]:
    """Return the addresses of the admin: its own, and of each model the list, a new row, the first row and below it."""
    found = []
    for route in filter(is_of_the_admin, routes()):
        address = re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)", "1", route.pattern)
        found.append("/" + re.sub(r"[\^$\\]|\(\?:[^)]*\)", "", address))
    return sorted(set(found))
