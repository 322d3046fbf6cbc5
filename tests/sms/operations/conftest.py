"""What the operations on numbers are tried on: numbers that live long, and a website in more than one country."""

from typing import Any

import pytest
from django.utils import timezone

from sms.models import Country, Project, SuccessRate


@pytest.fixture
def long_lives(sandbox: Any) -> None:
    sandbox.set(number_lifetime_seconds=1200)


@pytest.fixture
def elsewhere(project: Project) -> list[Project]:
    """The same website in two more countries: one dearer and reliable, one cheap of which nothing is known."""
    made = []
    for code, name, micros in (("gb", "United Kingdom", 520_000), ("ua", "Ukraine", 400_000)):
        country = Country.objects.create(code=code, name=name)
        made.append(
            Project.objects.create(
                upstream_id=f"x-{code}",
                country=country,
                site=project.site,
                name=project.name,
                price_upstream_micros=micros,
            )
        )
    SuccessRate.objects.create(project=made[0], observed=100, received=87, counted_at=timezone.now())
    SuccessRate.objects.create(project=made[1], observed=2, received=2, counted_at=timezone.now())
    return made
