"""How long is kept what only people who look into something need; ledger, receipts and orders stay for ever."""

from dataclasses import dataclass
from datetime import timedelta

from storefront.configuration.environment import Environment


@dataclass(frozen=True)
class Retention:
    """The age at which each is deleted."""

    notices: timedelta
    order_evidence: timedelta
    goods_looks: timedelta
    goods_look_addresses: timedelta
    gateway_events: timedelta
    refused_callbacks: timedelta
    sync_details: timedelta
    key_spending: timedelta
    trail_origins: timedelta
    attachments: timedelta


def retention(env: Environment, *, late_change_days: int) -> Retention:
    """Read the days from the environment. None is shorter than upstream may still change an order."""
    least = late_change_days + 1
    return Retention(
        notices=timedelta(days=env.number("NOTICE_KEEP_DAYS", 90, minimum=least)),
        order_evidence=timedelta(days=env.number("ORDER_EVIDENCE_KEEP_DAYS", 180, minimum=least)),
        goods_looks=timedelta(days=env.number("GOODS_LOOK_KEEP_DAYS", 730, minimum=least)),
        goods_look_addresses=timedelta(days=env.number("GOODS_LOOK_ADDRESS_KEEP_DAYS", 90, minimum=least)),
        gateway_events=timedelta(days=env.number("GATEWAY_EVENT_KEEP_DAYS", 180, minimum=least)),
        refused_callbacks=timedelta(days=env.number("REFUSED_CALLBACK_KEEP_DAYS", 30, minimum=least)),
        sync_details=timedelta(days=env.number("SYNC_KEEP_DAYS", 180, minimum=least)),
        key_spending=timedelta(days=env.number("KEY_SPENDING_KEEP_DAYS", 400, minimum=least)),
        trail_origins=timedelta(days=env.number("TRAIL_ADDRESS_KEEP_DAYS", 365, minimum=least)),
        attachments=timedelta(days=env.number("ATTACHMENT_KEEP_DAYS", 180, minimum=8)),
    )
