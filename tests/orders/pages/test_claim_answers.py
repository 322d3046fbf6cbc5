"""What customers see: the warranty before and after they buy, how their reports stand, and what replaces what."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from catalog.preferences import USUAL_WARRANTY_DAYS
from catalog.titles.warranty import warranty_hours
from orders.claims.answering import answer_claims
from orders.lifecycle.goods_claims import ClaimRefused
from orders.models import DeliveredGoods, GoodsClaim, Order
from tests.orders.couponing import coupon
from tests.pages import error_beside, page_words
from tests.preferences.known import prefer

pytestmark = pytest.mark.django_db


def detail(order) -> str:
    return reverse("orders:detail", args=[order.pk])


def answer(order, actor, kind, *lines, text=""):
    return answer_claims(order.pk, kind=kind, lines=lines, text=text, actor=actor, now=timezone.now())


# --- Warranty ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "hours"),
    [
        ({}, 72),
        ({"facts": {"warranty_hours": 12}}, 12),
        ({"facts": {"warranty_hours": 12}, "warranty_days": 5}, 120),
        ({"facts": {"warranty_hours": 12}, "warranty_days": 0}, 0),
        ({"upstream_description": "Fine goods.<br>Warranty: 48 hours"}, 48),
        ({"facts": {"has": ["full_warranty"]}}, 876_000),
        ({"facts": {"has": ["full_warranty"], "term_months": 1}}, 720),
        ({"delivery_override": "link"}, None),
    ],
)
def test_warranty_is_what_staff_says_else_what_the_title_does_else_the_usual_one(goods_service, columns, hours):
    Service.objects.filter(pk=goods_service.pk).update(**columns)

    assert warranty_hours(Service.objects.select_related("category").get(pk=goods_service.pk)) == hours


def test_warranty_is_shown_where_it_is_bought_and_frozen_then(shop, place, goods_service):
    Service.objects.filter(pk=goods_service.pk).update(warranty_days=5)
    pages = [
        page_words(shop.get(address))
        for address in (
            reverse("orders:place", args=[goods_service.pk]),
            f"{reverse('orders:quick')}?service={goods_service.pk}",
        )
    ]
    order = place(quantity=2, service=goods_service, link="")
    Service.objects.filter(pk=goods_service.pk).update(warranty_days=0)
    prefer(USUAL_WARRANTY_DAYS, 1)

    assert ["Warranty: 5 days after delivery" in page for page in pages] == [True, True]
    assert Order.objects.get(pk=order.pk).warranty_hours == 120
    assert "Warranty: 5 days after delivery" in page_words(shop.get(detail(order)))


def test_order_with_a_coupon_keeps_its_warranty_too(goods_service, place):
    coupon()
    order = place(quantity=2, service=goods_service, link="", coupon="SPRING")

    assert Order.objects.get(pk=order.pk).warranty_hours == 72


def test_claim_outside_the_warranty_is_refused_in_words_and_nothing_is_kept(shop, bought):
    came_at = timezone.now() - timedelta(hours=73)
    DeliveredGoods.objects.update(arrivals=[[10, came_at.isoformat()]], received_at=came_at)

    page = shop.post(reverse("orders:goods_claim", args=[bought.pk]), {"lines": "1", "reason": "locked"})

    assert "The warranty of line 1 ended on" in error_beside(page, "id_lines")
    assert "press “Get help”" in error_beside(page, "id_lines")
    assert "Warranty Ended" in page_words(shop.get(detail(bought)))
    assert not GoodsClaim.objects.exists()


def test_claim_of_what_came_later_is_still_covered(bought, claim):
    came_at = timezone.now() - timedelta(hours=73)
    DeliveredGoods.objects.update(arrivals=[[4, came_at.isoformat()], [10, timezone.now().isoformat()]])
    bought.refresh_from_db()

    with pytest.raises(ClaimRefused, match="The warranty of lines 3-4 ended"):
        claim(3, 4, 5)
    assert len(claim(5, 6)) == 2


def test_claim_of_goods_without_a_warranty_is_refused_and_of_orders_from_before_it_is_not(bought, claim):
    Order.objects.update(warranty_hours=0)
    with pytest.raises(ClaimRefused, match="sold without a warranty"):
        claim(1)

    Order.objects.update(warranty_hours=None)
    assert len(claim(1)) == 1


# --- Answers ----------------------------------------------------------------------------------------------------------
def test_order_page_shows_how_each_line_stands_and_links_what_replaces_what(shop, bought, claim, sam):
    claim(1, 2, 3, 4)
    answer(bought, sam, "refunded", 1)
    made = answer(bought, sam, "replaced", 2).replacement
    answer(bought, sam, "refused", 3, text="It works for us.")

    page = shop.get(detail(bought))
    there = shop.get(detail(made))
    goods = shop.post(reverse("orders:goods", args=[bought.pk]))

    words = page_words(page)
    assert f'href="{detail(made)}"' in page.content.decode()
    assert "$1.875 is back on your balance." in words
    assert "It works for us." in words
    assert "Warranty Until" in words
    assert "Warranty until" in page_words(goods)
    assert f'href="{detail(bought)}"' in there.content.decode()
    assert "At no charge" in page_words(there)
    assert [shown.claim and shown.claim.state for shown in goods.context["shown_lines"]][:5] == [
        *("refunded", "replaced", "refused", "waiting", None),
    ]
    for label in ("Refunded", "Replaced", "Refused", "Reported"):
        assert label in page_words(goods)
    assert "supplier" not in (words + page_words(there) + page_words(goods)).lower()


def test_order_page_when_a_report_is_answered_then_its_live_part_changes(shop, bought, claim, sam):
    claim(1)
    seen = shop.get(detail(bought)).context["seen"]

    answer(bought, sam, "refused", 1, text="It works for us.")

    assert shop.get(detail(bought)).context["seen"] != seen
