"""Staff finds a number by its digits, however it is written on either side."""

import pytest
from django.test import Client
from django.urls import reverse

from sms.models import Number
from sms.queries.phones import with_phone
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db
TYPED = ["+1 (202) 555-0100", "12025550100", "+12025550100", "1-202-555-0100", "1.202.555.0100", "0100"]


@pytest.fixture
def desk(sam) -> Client:
    client = Client()
    client.force_login(sam)
    return client


@pytest.mark.parametrize("kept", ["12025550100", "+1 (202) 555-0100", "+1\u00a0202 555 0100"])
@pytest.mark.parametrize("typed", TYPED)
def test_admin_finds_a_number_by_its_digits(ann, desk, project, kept: str, typed: str) -> None:
    number = Number.objects.create(order=make_order(ann), project=project, phone=kept)
    Number.objects.create(order=make_order(ann), project=project, phone="447700900123")

    page = desk.get(reverse("admin:sms_number_changelist"), {"q": typed})

    assert [row.pk for row in page.context["cl"].result_list] == [number.pk]


@pytest.mark.parametrize("typed", ["", "ann", "12", "ann 12025550100", "()-"])
def test_what_is_no_telephone_number_finds_none_by_digits(ann, project, typed: str) -> None:
    Number.objects.create(order=make_order(ann), project=project, phone="12025550100")

    assert not with_phone(Number.objects.all(), "phone", typed).exists()
