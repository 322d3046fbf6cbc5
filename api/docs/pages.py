"""What the documentation page shows of each action: its parameters, and examples with the reader's own ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser

from accounts.models import ApiKey, User
from api.docs.console import pretty
from api.docs.languages import LANGUAGES, PLACEHOLDER_KEY, Language
from api.docs.samples import Example, examples_of
from api.registry import ACTIONS, Action
from catalog.models import Service
from orders.models import Kind, Order
from sms.models import Project

OwnIds = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """An example as a program in each language, and its answer."""

    example: Example
    programs: list[tuple[Language, str]]


@dataclass(frozen=True)
class Guide:
    """One action as the page shows it."""

    action: Action
    scopes: list[str]
    samples: list[Sample]


def action_guides(address: str, own: OwnIds) -> list[Guide]:
    """Return every action with its examples, written for this address and these ids."""
    return [
        Guide(action, scope_names(action), [_sample(example, address, own) for example in examples_of(action.name)])
        for action in ACTIONS.values()
    ]


def scope_names(action: Action) -> list[str]:
    """Return the scopes that open an action, as the switches of a key are called."""
    return [str(ApiKey._meta.get_field(scope).verbose_name) for scope in action.scopes]  # type: ignore[union-attr]


def _sample(example: Example, address: str, own: OwnIds) -> Sample:
    mine = {name: own[kind] for name, kind in example.own.items() if kind in own}
    params = {"key": PLACEHOLDER_KEY, "action": example.action, **example.params, **mine}
    return Sample(example, [(language, language.call(address, params)) for language in LANGUAGES])


def own_ids(user: User | AnonymousUser) -> dict[str, str]:
    """Return ids that mean something to a customer, by what they are ids of; none for a visitor."""
    if not isinstance(user, User):
        return {}
    mine = Order.objects.filter(user=user).order_by("-pk").values_list("pk", flat=True)
    found = {
        "service": Service.objects.on_sale().filter(paused_because="").order_by("pk").values_list("pk", flat=True),
        "order": mine.filter(kind=Kind.SERVICE),
        "number": mine.filter(kind=Kind.NUMBER),
        "project": Project.objects.on_sale().order_by("pk").values_list("pk", flat=True),
    }
    firsts = {kind: ids.first() for kind, ids in found.items()}
    return {kind: str(number) for kind, number in firsts.items() if number is not None}


def webhook_message() -> str:
    """Return a message as a webhook's receiver gets it; its data are the answer of `status`."""
    status: dict[str, Any] = examples_of("status")[0].answer
    return pretty(
        {
            "id": "5bd2cd8c-4a0b-4a7e-9d0c-3a6f8f1d2e11",
            "event": "order.in_progress",
            "created_at": "2026-01-15T09:30:00Z",
            "data": {"order": 23501, **status},
        }
    )
