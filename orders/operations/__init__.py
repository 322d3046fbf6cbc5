"""Everything that changes an order: placing, forwarding, polling, refunding, settling by hand, and the books."""

from orders.operations.assumptions import probe_foreign_ids
from orders.operations.audit import audit
from orders.operations.forwarding import forward_order, give_up_waiting, release_stale_claims
from orders.operations.margin import refund_held, review_held_orders, send_held_anyway
from orders.operations.mass import place_orders
from orders.operations.moves import WrongStatus
from orders.operations.pauses import end_pause, pause_forwarding, resume_forwarding
from orders.operations.pending import close_pending, close_pending_of, pay_and_order, ways_to_pay
from orders.operations.placing import OrderRefused, PriceChanged, check_order, place_order
from orders.operations.polling import poll_due, poll_open
from orders.operations.price_digest import send_price_digests
from orders.operations.purchases import count_purchases
from orders.operations.reconcile import close_window, reconcile_orders
from orders.operations.referrals import credit_referrals
from orders.operations.refunds import refund_up_to
from orders.operations.resolve import resolve_as_not_placed, resolve_as_placed, resolve_by_refund
from orders.operations.solvency import check_balance
from orders.operations.sweep import forward_orders, forward_waiting, sweep_queue
from orders.operations.wishes import cancel_unsent, close_request, request_service

__all__ = [
    "OrderRefused",
    "PriceChanged",
    "WrongStatus",
    "audit",
    "cancel_unsent",
    "check_balance",
    "check_order",
    "close_pending",
    "close_pending_of",
    "close_request",
    "close_window",
    "count_purchases",
    "credit_referrals",
    "end_pause",
    "forward_order",
    "forward_orders",
    "forward_waiting",
    "give_up_waiting",
    "pause_forwarding",
    "pay_and_order",
    "place_order",
    "place_orders",
    "poll_due",
    "poll_open",
    "probe_foreign_ids",
    "reconcile_orders",
    "refund_held",
    "refund_up_to",
    "release_stale_claims",
    "request_service",
    "resolve_as_not_placed",
    "resolve_as_placed",
    "resolve_by_refund",
    "resume_forwarding",
    "review_held_orders",
    "send_held_anyway",
    "send_price_digests",
    "sweep_queue",
    "ways_to_pay",
]
