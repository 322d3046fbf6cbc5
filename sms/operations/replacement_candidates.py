"""What a number can be replaced with: the same website or app, in its own country or where codes come more often."""

from collections.abc import Sequence
from dataclasses import dataclass

from sms.models import Number, Project, SuccessRate
from sms.preferences import SUCCESS_LEAST
from sms.pricing import NumberBook


@dataclass(frozen=True)
class ReplacementCandidate:
    """What a number could be replaced with, and what the customer would pay for that one."""

    project: Project
    price_micros: int

    @property
    def success(self) -> SuccessRate | None:
        """How often codes came to such numbers, where enough of them speak; wants `success` of the project at hand."""
        found: SuccessRate | None = getattr(self.project, "success", None)
        if found is None or found.observed < SUCCESS_LEAST.value:
            return None
        return found


def candidates_for(numbers: Sequence[Number], book: NumberBook) -> dict[int, list[ReplacementCandidate]]:
    """Return for each number, by its id, what it can be replaced with: its own country first, then the best others.

    The others are sorted by how often a code came lately, where enough numbers speak, and then by price. One query.
    """
    projects: dict[int, list[Project]] = {}
    sites = {number.project.site_id for number in numbers}
    rows = (
        Project.objects.on_sale().filter(site__in=sites, price_upstream_micros__gt=0)
        if sites
        else Project.objects.none()
    )
    for project in rows.select_related("country", "site", "success"):
        projects.setdefault(project.site_id, []).append(project)
    return {number.pk: _ranked(number, projects.get(number.project.site_id, []), book) for number in numbers}


def _ranked(number: Number, projects: list[Project], book: NumberBook) -> list[ReplacementCandidate]:
    offers = [ReplacementCandidate(project, book.price_micros(project)) for project in projects]
    return sorted(
        offers,
        key=lambda offer: (
            offer.project.pk != number.project_id,
            -(offer.success.received / offer.success.observed) if offer.success else 0.0,
            offer.price_micros,
            offer.project.pk,
        ),
    )


def best_candidate(
    offers: Sequence[ReplacementCandidate], number: Number, *, cap_micros: int, any_country: bool
) -> ReplacementCandidate | None:
    """Return the best offer that costs no more than the cap: with `any_country` of another country if there is one."""
    affordable = [offer for offer in offers if offer.price_micros <= cap_micros]
    others = [offer for offer in affordable if offer.project.pk != number.project_id]
    same = [offer for offer in affordable if offer.project.pk == number.project_id]
    return next(iter([*others, *same] if any_country else same), None)
