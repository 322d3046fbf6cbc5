"""What forged requests to the pages of numbers get, and strangers' texts on them."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.models import Order
from sms.models import Number, Project, Site
from tests.pages import hidden

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = 625_000
RIPE = timedelta(minutes=3)


@pytest.fixture
def shop(client: Any, ann: Any) -> Any:
    client.force_login(ann)
    return client


def test_replace_with_a_nul_in_its_identity_breaks_nothing(waiting_number, shop, project) -> None:
    Order.objects.update(sent_at=timezone.now() - RIPE)

    typed = {"project": project.pk, "shown_price_micros": PRICE, "request_id": "a\0b"}
    answer = shop.post(reverse("sms:replace", args=[waiting_number.pk]), typed)

    assert answer.status_code == 404
    assert Order.objects.count() == 1


@pytest.mark.parametrize("reuse", ["9" * 30, "-1", "x"])
def test_buy_to_reuse_a_number_that_cannot_be_is_refused(shop, project, reuse) -> None:
    url = reverse("sms:buy", args=[project.pk])
    form = {name: hidden(shop.get(url), name) for name in ("quantity", "request_id", "shown_price_micros")}

    response = shop.post(url, {**form, "reuse": reuse})

    assert response.status_code == 200
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "path", ["/sms/countries/%00/", "/sms/sites/99999999999999999999/", "/sms/9999999999999999999/"]
)
def test_pages_of_nonsense_are_not_found(shop, path) -> None:
    assert shop.get(f"/sms/{path}").status_code == 404


@pytest.mark.parametrize("action", ["cancel", "replacement-rule", "replace"])
def test_numbers_of_nonsense_are_not_found(shop, project, action) -> None:
    typed = {"project": project.pk, "cap": "1", "replacements": "1", "request_id": "1"}

    assert shop.post(f"/sms/numbers/99999999999999999999/{action}/", typed).status_code == 404


def test_a_message_and_a_name_of_markup_are_shown_as_text(waiting_number, shop) -> None:
    bad = "<img src=x onerror=alert(1)>"
    Number.objects.update(state="received", code=bad[:40], content=f'"{bad}', received_at=timezone.now())
    Project.objects.update(name=bad)
    Site.objects.update(name=bad, search_text=bad)

    for path in ("/sms/", "/sms/?q=img", "/sms/numbers/", "/sms/numbers/history/"):
        page = shop.get(path)
        assert bad not in page.content.decode(), path
        assert "no-store" in page["Cache-Control"], path
