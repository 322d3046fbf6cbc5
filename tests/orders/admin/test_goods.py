"""The admin's pages of goods: formats that can be read, reports that nobody edits, and no line of goods anywhere."""

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.lifecycle.goods import keep_goods, reveal
from orders.lifecycle.goods_claims import claim_lines
from orders.models import GoodsFormat

ADD = reverse("admin:orders_goodsformat_add")


def rule(**values):
    return {"service": "", "category": "", "columns": "login:password", "separator": "", **values}


def test_format_when_staff_adds_one_then_it_says_what_customers_will_see(client, sam, service):
    client.force_login(sam)

    client.post(ADD, rule(service=service.pk, columns="login:pass:mail:PIN", separator="\\t"))

    added = GoodsFormat.objects.get()
    page = client.get(reverse("admin:orders_goodsformat_change", args=[added.pk])).content.decode()
    assert (added.service, added.category, added.separator) == (service, None, "\\t")
    assert "Login · Password · Email · PIN" in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"columns": ""}, "This field is required."),
        ({"columns": "login:"}, "Write a name before and after each separator."),
        ({"columns": ":".join("abcdefghijklmnopqrstuv")}, "A format has at most 20 columns."),
        ({"columns": "x" * 50}, "A column&#x27;s name has at most 40 characters."),
        ({"service": ""}, "Choose either a service or a category."),
        ({"category": "one"}, "Choose either a service or a category."),
    ],
)
def test_format_that_cannot_be_read_or_is_for_nothing_is_refused_in_words(client, sam, service, asked, words):
    client.force_login(sam)
    asked = {name: service.category_id if value == "one" else value for name, value in asked.items()}

    page = client.post(ADD, rule(**{"service": service.pk, **asked}))

    assert words in page.content.decode()
    assert not GoodsFormat.objects.exists()


def test_reports_are_read_only_found_by_order_and_customer_and_hold_no_line(client, sam, sent_order, ann):
    keep_goods(sent_order, ["rosa@example.com:secret-1"], timezone.now())
    reveal(sent_order, ann, None)
    (claim,) = claim_lines(sent_order.pk, user=ann, lines=[1], reason="used", text="Taken", now=timezone.now())
    client.force_login(sam)

    found = client.get(reverse("admin:orders_goodsclaim_changelist"), {"q": "ann@"})
    page = client.get(reverse("admin:orders_goodsclaim_change", args=[claim.pk]))
    added = client.get(reverse("admin:orders_goodsclaim_add"))

    assert found.context["cl"].result_count == 1
    assert "Taken" in page.content.decode()
    assert "secret-1" not in page.content.decode() + found.content.decode()
    assert added.status_code == 403
