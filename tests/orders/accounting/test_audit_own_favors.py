"""The audit of favors: silent about what others did, in words about what staff did for itself or a referral."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import User
from orders.accounting.audit import audit
from orders.fulfilment.margin import refund_held
from orders.lifecycle.coupon_makers import note_maker
from orders.models import CouponMaker, CouponUse, HoldReason, Order, OrderEvent
from tests.orders.couponing import coupon
from tests.security.tied import each_tie, tied

__all__ = ["tied"]  # a fixture
pytestmark = pytest.mark.django_db
Place = Callable[..., Order]


def problems() -> list[str]:
    return audit(client=None, now=timezone.now()).problems


def refund_by_hand(order: Order, actor: User) -> None:
    Order.objects.filter(pk=order.pk).update(held_because=HoldReason.SERVICE_PAUSED)
    refund_held(order.pk, actor=actor, now=timezone.now())


def whose(tie: str, user: User) -> str:
    return "themselves" if tie == "themselves" else f"{user.email}, whom they are tied to by a referral,"


@each_tie
def test_audit_names_a_coupon_that_its_maker_or_whom_they_are_tied_to_has_used(
    place: Place, sam: User, tied: User, tie: str
) -> None:
    spring = coupon()
    order = place(user=tied, coupon="SPRING")
    assert problems() == []

    CouponMaker.objects.create(coupon=spring, user=sam, created_at=order.created_at)

    assert problems() == [
        f"coupon SPRING, which sam@example.com made or raised, was used for order {order.pk} of {whose(tie, tied)}"
    ]


@pytest.mark.parametrize("tie", ["brought"])
def test_audit_is_silent_about_coupons_that_others_use_and_those_used_before_they_were_raised(
    place: Place, sam: User, tom: User, tied: User
) -> None:
    spring, now = coupon(), timezone.now()
    note_maker(spring, before=None, fields=(), staff=tom, now=now)
    place(coupon="SPRING")
    place(user=tied, coupon="SPRING")
    CouponMaker.objects.create(coupon=spring, user=sam, created_at=now + timedelta(hours=1))

    assert (CouponUse.objects.count(), problems()) == (2, [])


@each_tie
def test_audit_names_an_order_that_staff_refunded_by_hand_for_itself_or_whom_it_is_tied_to(
    place: Place, sam: User, tom: User, tied: User, tie: str
) -> None:
    order = place(user=tied)
    refund_by_hand(order, tom)
    refund_by_hand(place(), sam)
    assert problems() == []

    for event in OrderEvent.objects.filter(order=order, actor=tom):
        OrderEvent.objects.create(
            order=order, code=event.code, status=event.status, data=event.data, actor=sam, created_at=timezone.now()
        )

    assert problems() == [f"order {order.pk} of {whose(tie, tied)} was settled by sam@example.com"]


def test_audit_is_silent_about_what_staff_settled_before_the_shop_refused_it(place: Place, sam: User) -> None:
    order = place()
    User.objects.filter(pk=order.user_id).update(referred_by=sam)
    MigrationRecorder(connection).migration_qs.filter(name="0024_makers_of_coupons").update(applied=timezone.now())
    event = {"order": order, "code": OrderEvent.Code.RESOLVED, "status": order.status, "actor": sam}

    OrderEvent.objects.create(**event, created_at=timezone.now() - timedelta(days=1))
    assert problems() == []
    OrderEvent.objects.create(**event, created_at=timezone.now() + timedelta(seconds=1))
    assert len(problems()) == 1


def test_the_migration_takes_who_edited_a_coupon_at_the_admin_for_one_of_its_makers(
    sam: User, tom: User, ann: User
) -> None:
    spring, content = coupon(), ContentType.objects.get(app_label="orders", model="coupon")
    other = ContentType.objects.get(app_label="orders", model="order")
    rows = [(content, spring.pk, sam, ADDITION), (content, spring.pk, tom, CHANGE), (content, spring.pk, sam, CHANGE)]
    rows += [(content, spring.pk + 1, ann, ADDITION), (content, spring.pk, ann, DELETION)]
    for kind, pk, user, flag in [*rows, (other, spring.pk, ann, CHANGE)]:
        LogEntry.objects.create(content_type=kind, object_id=str(pk), user=user, action_flag=flag, object_repr="")

    import_module("orders.migrations.0024_makers_of_coupons").read_log(apps, None)

    assert list(CouponMaker.objects.values_list("coupon", "user")) == [(spring.pk, sam.pk), (spring.pk, tom.pk)]
