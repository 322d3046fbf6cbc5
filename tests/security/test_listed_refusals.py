"""Attack: staff lists a text of the supplier's as a refusal, which refunds an accomplice more than one may move."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.rights import CATALOG
from catalog.models import Service
from orders.accounting.audit import audit
from orders.attempts.answers import note_lost
from orders.lifecycle.drift import Subject, note_drift
from orders.models import ContractDrift, LostAttempt, Order, Status
from tests.conftest import customer
from tests.security.staff import at_the_admin, in_role
from tests.security.test_own_orders import place
from tests.wallet.by_hand import balance
from wallet.models import MoneyRequest

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}
TEXT = "Drip feed is off"
FORM = {"text": TEXT, "meaning": "order"}
SAVED = reverse("admin:orders_knownrefusal_add")


@pytest.fixture
def accomplice(db: None) -> User:
    return customer("friend@example.com", money="100.00")


@pytest.fixture
def orders(accomplice: User, service: Service, settings: Any) -> list[Order]:
    """Two orders of the accomplice's that wait because of the text; one person may give one of them back."""
    settings.UPSTREAM_URL = ""
    waiting = [place(accomplice, service), place(accomplice, service)]
    for order in waiting:
        Order.objects.filter(pk=order.pk).update(status=Status.UNKNOWN, sent_at=timezone.now())
        order.refresh_from_db()
        note_lost(order, LostAttempt.Cause.UNLISTED_TEXT, TEXT, now=timezone.now())
    settings.ADJUST_APPROVAL_MICROS = waiting[0].price_micros
    return waiting


@pytest.fixture
def desk(db: None) -> Client:
    return at_the_admin(in_role("cat@example.com", CATALOG))


@pytest.mark.parametrize("by", ["page", "button"])
def test_what_is_too_much_for_one_waits_for_a_second_person(
    desk: Client, orders: list[Order], accomplice: User, sam: User, by: str
) -> None:
    before, price_micros = balance(accomplice), orders[0].price_micros
    if by == "page":
        said = desk.post(SAVED, FORM, follow=True)
    else:
        note_drift(Subject.ERROR_TEXT, TEXT, {"order": orders[0].pk}, now=timezone.now())
        button = reverse("admin:orders_contractdrift_list_text", args=[ContractDrift.objects.get().pk])
        said = desk.post(button, {**SUBMITTED, "meaning": "order"}, follow=True)

    assert balance(accomplice) == before + price_micros
    told = " ".join(str(message) for message in said.context["messages"])
    assert "1 waiting order has been settled. 1 refund exceeds what one person may move within 24 hours" in told
    second = MoneyRequest.objects.get(state=MoneyRequest.State.WAITING)
    approve = reverse("admin:wallet_moneyrequest_approve", args=[second.pk])
    assert desk.post(approve, SUBMITTED).status_code == 403
    at_the_admin(sam).post(approve, SUBMITTED)
    assert balance(accomplice) == before + 2 * price_micros
    assert audit(client=None, now=timezone.now()).problems == []


def test_what_waits_already_is_asked_for_once(desk: Client, orders: list[Order]) -> None:
    desk.post(SAVED, FORM)
    listed = reverse("admin:orders_knownrefusal_changelist")
    [row] = desk.get(listed).context["cl"].queryset

    desk.post(reverse("admin:orders_knownrefusal_change", args=[row.pk]), FORM)

    assert list(MoneyRequest.objects.order_by("pk").values_list("state", flat=True)) == ["done", "waiting"]
