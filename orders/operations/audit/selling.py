"""Coupons and referrals: what was counted is what was used, and what was earned is what was credited."""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from orders.models import Coupon, ReferralEarning
from orders.operations.audit.findings import SHOWN_PROBLEMS, Books, number_after, rows_of
from upstream.money import text_from_micros as _text
from wallet.models import LedgerEntry, Wallet


def check_selling(books: Books) -> None:
    """Compare the count of each coupon with its uses, and each credited earning with its ledger row."""
    books.problems.extend(_miscounted())
    books.problems.extend(_misbooked())


def _miscounted() -> Iterator[str]:
    counted = Coupon.objects.annotate(counted=Count("used", filter=Q(used__freed_at=None)))
    wrong = counted.exclude(uses=F("counted")).order_by("pk").values_list("code", "uses", "counted")
    for code, uses, used in wrong[:SHOWN_PROBLEMS]:
        yield f"coupon {code}: {uses} uses are counted, but {used} orders have used it"


def _misbooked() -> Iterator[str]:
    # Our own names and words: nothing in it comes from outside.
    sql = f"""
        SELECT owner, number, SUM(earned), SUM(booked)
        FROM (
            SELECT earning.referrer_id AS owner, earning.order_id AS number,
                   earning.amount_micros AS earned, 0 AS booked
            FROM {ReferralEarning._meta.db_table} earning
            WHERE earning.state = '{ReferralEarning.State.CREDITED}'
            UNION ALL
            SELECT wallet.user_id, COALESCE({number_after("order:")}, 0), 0, entry.amount_micros
            FROM {LedgerEntry._meta.db_table} entry
            JOIN {Wallet._meta.db_table} wallet ON wallet.id = entry.wallet_id
            WHERE entry.kind = '{LedgerEntry.Kind.REFERRAL}'
        ) AS earnings
        GROUP BY owner, number
        HAVING SUM(earned) <> SUM(booked)
        ORDER BY number, owner"""  # noqa: S608
    for owner, order, earned, booked in rows_of(sql):
        yield (
            f"order {order}: it earned customer {owner} {_text(earned)} by referral,"
            f" but the ledger credited {_text(booked)}"
        )
