"""Orders, what was delivered, and the numbers: what was bought stays, whom it concerned does not."""

import json
from typing import Any

from django.db.models import F, Q
from django.db.models.fields import CharField
from django.db.models.functions import Cast

from accounts.encryption import CannotDecrypt, decrypt
from orders.models import OrderEvent
from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Stays, Table

SOLD = "the books: what was sold, when, for how much, and what it cost"
SUPPLIER = "evidence of what the supplier was told and answered; it names orders by number"
REQUEST_ID = Cast(F("pk"), CharField())  # of a customer's own programs, and whatever these wrote into it


def _open_goods(row: dict[str, Any]) -> dict[str, Any]:
    try:
        row["delivered"] = json.loads(decrypt(row["delivered"]))
    except CannotDecrypt:
        row["delivered"] = None
    return row


def _open_codes(row: dict[str, Any]) -> dict[str, Any]:
    for title in ("code", "message"):
        try:
            row[title] = str(row[title])
        except CannotDecrypt:
            row[title] = None
    return row


ORDER_TABLES = (
    Table(
        "orders.Checkout",
        Export("checkouts", ("id", "created_at", "request_id")),
        Emptied({"request_id": REQUEST_ID, "fingerprint": ""}, "which orders were bought together"),
        owner="user",
    ),
    Table(
        "orders.Order",
        Export(
            "orders",
            (
                *("id", "checkout_id", "created_at", "finished_at", "kind", "status", "title", "quantity", "link"),
                *("comments", "price_micros", "refunded_micros", "start_count", "remains"),
            ),
        ),
        Emptied({"link": "", "comments": "", "upstream_payload": None, "http_request_id": ""}, SOLD),
        owner="user",
        others=("checkout", "original"),
    ),
    Table(
        "orders.OrderEvent",
        Export(
            "order_events",
            ("order_id", "created_at", "event=code", "status", "details=data"),
            only=~Q(code__in=OrderEvent.STAFF_ONLY),
        ),
        Stays("how an order went: statuses, amounts and reasons. No row of it can be changed"),
        owner="order__user",
        others=("actor",),
    ),
    Table(
        "orders.DeliveredGoods",
        Export(
            "delivered_goods",
            ("order_id", "received_at", "pieces", "openings", "delivered=encrypted"),
            opened=_open_goods,
        ),
        Emptied({"encrypted": "", "openings": []}, "how many pieces were delivered, and when"),
        owner="order__user",
    ),
    Table(
        "orders.GoodsReveal",
        Export(
            "looks_at_goods", ("goods__order_id", "day", "looks", "created_at", "address", "last_at", "last_address")
        ),
        Deleted(),
        owner="user",
        others=("goods",),
    ),
    Table(
        "orders.GoodsClaim",
        Export(
            "reports_about_goods",
            ("order_id", "line", "reason", "text", "delivered_at", "first_opened_at", "claimed_at", "state"),
        ),
        Emptied({"text": ""}, "which lines did not work, and when they were delivered, opened and reported"),
        owner="order__user",
        others=("answer",),
    ),
    Table(
        "orders.ClaimAnswer",
        Export(
            "answers_about_goods",
            ("order_id", "answer=kind", "lines", "text", "refund_micros", "replacement_id", "carried_out_at"),
            only=Q(carried_out_at__isnull=False),
        ),
        Emptied({"text": ""}, "the books: what was given back or replaced, and who decided so"),
        owner="order__user",
        others=("replacement", "request", "answered_by"),
    ),
    Table(
        "orders.ServiceRequest",
        Export("requests", ("order_id", "kind", "state", "answer", "created_at", "closed_at")),
        Emptied({"answer": ""}, "that it was asked for, and how it ended"),
        owner="order__user",
        others=("closed_by",),
    ),
    Table(
        "orders.PendingCheckout",
        Export(
            "orders_waiting_for_payment",
            (
                *("created_at", "service=service__name", "quantity", "link", "comments", "coupon_code"),
                *("price_micros", "state", "reason", "order_id", "closed_at"),
            ),
        ),
        Emptied(
            {"link": "", "comments": "", "quote": "", "request_id": REQUEST_ID}, "which payment was to pay which order"
        ),
        owner="user",
        others=("top_up", "order"),
    ),
    Table(
        "orders.CouponUse",
        Export("coupons_used", ("created_at", "code=coupon__code", "order_id", "discount_micros", "freed_at")),
        Stays(SOLD),
        owner="user",
        others=("order",),
    ),
    Table(
        "orders.CouponMaker",
        LeftOut("who of the staff made a coupon; its users are told when it is theirs"),
        Stays("who may not use the coupon, and what the audit asks about it"),
        owner="user",
        others=("coupon",),
    ),
    Table(
        "orders.CashbackEarning",
        Export(
            "cashback",
            ("created_at", "order=order_id", "state", "amount_micros", "taken_back_micros", "closed_at"),
        ),
        Stays("the books: what an order earned the account, and that what was waiting came to nothing"),
        owner="user",
        others=("order",),
    ),
    Table(
        "orders.ReferralEarning",
        # Whose order it was is nobody's business.
        Export("referral_earnings", ("created_at", "percent", "state", "amount_micros", "closed_at")),
        Stays("the books: what an order earned the account, and that what was waiting came to nothing"),
        owner="referrer",
        others=("order",),
    ),
    Table(
        "orders.AttentionFlag",
        LeftOut("the staff's own notes of what to look into; what came of them is among the order's events"),
        Stays(SUPPLIER),
        owner="order__user",
        others=("cleared_by",),
    ),
    Table(
        "orders.LostAttempt",
        LeftOut("how the supplier's lost answers were looked for; what came of it is among the order's events"),
        Stays(SUPPLIER),
        owner="order__user",
    ),
    Table(
        "orders.FoundOrder",
        LeftOut(
            "what the supplier had after a restore, by its own numbers; what came of it is among the order's events"
        ),
        Stays(SUPPLIER),
        owner="order__user",
        others=("settled_by",),
    ),
    Table("orders.WatchedPrice", LeftOut("prices last mailed; the mails are exported"), Deleted(), owner="user"),
    Table("orders.PriceDigestLook", LeftOut("when prices were last looked through"), Deleted(), owner="user"),
    Table(
        "orders.PromisedLoss",
        LeftOut("what keeping promised prices cost the shop; says nothing of the customer"),
        Deleted(),
        owner="user",
    ),
    Table(
        "sms.Number",
        Export(
            "numbers",
            (
                *("order_id", "created_at", "country=project__country__name", "site=project__site__name", "state"),
                *("phone", "code", "message=content", "received_at", "expires_at", "content_wiped_at"),
            ),
            opened=_open_codes,
        ),
        Emptied({"phone": "", "reuse_phone": "", "code": "", "content": ""}, SOLD),
        owner="order__user",
    ),
    Table(
        "sms.ReplacementRule",
        Export(
            "number_replacements",
            ("order_id=number__order_id", "after_seconds", "cap_micros", "any_country", "left", "outcome"),
        ),
        Deleted(),
        owner="number__order__user",
    ),
    Table(
        "sms.NumberLimit",
        Export("number_limits", ("max_open", "max_per_day")),
        Deleted(),
        owner="user",
    ),
)
