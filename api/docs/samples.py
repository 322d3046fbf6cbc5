"""The examples of the documentation: which calls it shows, and the answers they got from the running code.

`answers.json` holds the answers; a test makes them again in a small shop and compares.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ANSWERS = Path(__file__).parent / "answers.json"
# The ids in the examples, by what they are an id of; a customer's page shows some of their own instead.
ORDER, OTHER_ORDER, GOODS_ORDER, NUMBER, WAITING_NUMBER = "23501", "23502", "23503", "12345", "12346"


@dataclass(frozen=True)
class Example:
    """One call. `own` names the parameters to fill with the reader's own ids, and what kind of id each is."""

    action: str
    params: dict[str, str] = field(default_factory=dict)
    title: str | Promise = ""
    own: dict[str, str] = field(default_factory=dict)

    @property
    def answer(self) -> Any:
        """What the running code answered."""
        return answers()[self.name]

    @property
    def answer_text(self) -> str:
        """The answer as the page shows it."""
        return json.dumps(self.answer, indent=2, ensure_ascii=False)

    @property
    def name(self) -> str:
        """What `answers.json` calls it: the call as a query."""
        return " ".join([self.action, *(f"{name}={value}" for name, value in self.params.items())])


LINK = "https://instagram.com/username"
_SERVICE, _ORDER, _NUMBER, _PROJECT = {"service": "service"}, {"order": "order"}, {"order": "number"}, "project"
EXAMPLES = (
    Example("balance"),
    Example("categories"),
    Example("services", {"page": "1", "limit": "2"}, _("One page")),
    Example("services", {"subcategory": "Gmail"}, _("One subcategory")),
    Example("inventory", {"service": "23501"}, own=_SERVICE),
    Example("add", {"service": "1", "link": LINK, "quantity": "1000", "request_id": "invoice-1847"}, own=_SERVICE),
    Example("status", {"order": ORDER}, own=_ORDER),
    Example("status", {"orders": f"{ORDER},{OTHER_ORDER},1"}, _("Several orders")),
    Example("status", {"order": GOODS_ORDER}, _("Goods that were delivered")),
    Example("refill", {"order": OTHER_ORDER}, own=_ORDER),
    Example("refill_status", {"refill": "701"}),
    Example("cancel", {"orders": "23504,23502"}),
    Example("sms_projects", {"country": "us"}),
    Example("sms_countries"),
    Example("add_sms", {"project_id": "65", "quantity": "1", "country": "us"}, own={"project_id": _PROJECT}),
    Example("sms_code", {"order": NUMBER}, own=_NUMBER),
    Example("sms_code", {"order": WAITING_NUMBER}, _("Before the code arrives")),
    Example("sms_status", {"order": NUMBER}, own=_NUMBER),
)


@cache
def answers() -> dict[str, Any]:
    """Return every example's answer by its name."""
    return json.loads(ANSWERS.read_text())


def examples_of(action: str) -> list[Example]:
    """Return the examples of one action."""
    return [example for example in EXAMPLES if example.action == action]
