"""One's numbers are found by what one sees and by the digits of the phone, however these are written."""

from typing import Any

import pytest
from django.urls import reverse

from sms.models import Country, Number, Project
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(ann: Any) -> Number:
    """Ann's American number for Télégram; she has another one elsewhere."""
    found = []
    for code, name, site, phone in (
        ("de", "Germany", "Viber", "+4915112345678"),
        ("us", "United States", "𝗧élégram", "+12025550123"),
    ):
        country = Country.objects.create(code=code, name=name)
        project = Project(upstream_id=code, country=country, name=site, price_upstream_micros=1)
        project.save()
        Project.objects.filter(pk=project.pk).update(search_text=project.site.search_text)
        found.append(Number.objects.create(order=make_order(ann), project=project, phone=phone))
    return found[-1]


@pytest.mark.parametrize(
    "typed",
    [
        *("telegram", "TÉLÉGRAM", "tele\u200bgram united", "сша", "usa"),
        *("+12025550123", "12025550123", "2025550123", "+1 (202) 555-0123", "202 555 0123", "\u200b+1 202 5550123"),
        *("0123", "555-0123"),
    ],
)
def test_history_is_searched_by_sight_and_by_digits(client: Any, ann: Any, number: Number, typed: str) -> None:
    client.force_login(ann)

    page = client.get(reverse("sms:history"), {"q": typed})

    assert "+1 202-555-0123" in page.content.decode()
    assert "15112345678" not in page.content.decode().replace(" ", "")
    assert "4915112345678" not in page.content.decode().replace(" ", "").replace("-", "")


def test_history_finds_a_number_that_upstream_gave_without_its_country_code(
    client: Any, ann: Any, number: Number
) -> None:
    Number.objects.filter(pk=number.pk).update(phone="2025550123")
    client.force_login(ann)

    assert "555-0123" in client.get(reverse("sms:history"), {"q": "+12025550123"}).content.decode()
