"""Tables of the orders, by subject: the order itself, the supplier, what follows an order."""

from orders.models.aftercare import (
    DeliveredGoods,
    GoodsReveal,
    PriceDigestLook,
    RetentionMark,
    ServiceRequest,
    WatchedPrice,
)
from orders.models.attempts import LostAttempt, LostAttemptQuerySet
from orders.models.attention import AttentionFlag
from orders.models.books import Books
from orders.models.goods import ClaimAnswer, GoodsClaim, GoodsFormat
from orders.models.order import (
    DELIVERED,
    FINISHED,
    MOVES,
    OPEN,
    UPSTREAM_OPEN,
    Checkout,
    Kind,
    Order,
    OrderEvent,
    OrderQuerySet,
    Status,
)
from orders.models.reasons import HoldReason, RefundReason
from orders.models.restores import FoundOrder, FoundOrderQuerySet, RestoreGap
from orders.models.selling import (
    CashbackEarning,
    Coupon,
    CouponMaker,
    CouponUse,
    PendingCheckout,
    PromisedLoss,
    ReferralEarning,
)
from orders.models.sold import SOLD, load_services_sold, load_sold
from orders.models.supplier import (
    ContractDrift,
    ForwardingPause,
    KnownRefusal,
    RateUnitQuestion,
    ServiceCost,
    ServicePace,
    StatusWord,
    UpstreamAssumption,
    UpstreamBalance,
    UpstreamEntry,
)
from orders.models.totals import GatewayTotal, Length, Total, TotalSpan

__all__ = [
    "DELIVERED",
    "FINISHED",
    "MOVES",
    "OPEN",
    "SOLD",
    "UPSTREAM_OPEN",
    "AttentionFlag",
    "Books",
    "CashbackEarning",
    "Checkout",
    "ClaimAnswer",
    "ContractDrift",
    "Coupon",
    "CouponMaker",
    "CouponUse",
    "DeliveredGoods",
    "ForwardingPause",
    "FoundOrder",
    "FoundOrderQuerySet",
    "GatewayTotal",
    "GoodsClaim",
    "GoodsFormat",
    "GoodsReveal",
    "HoldReason",
    "Kind",
    "KnownRefusal",
    "Length",
    "LostAttempt",
    "LostAttemptQuerySet",
    "Order",
    "OrderEvent",
    "OrderQuerySet",
    "PendingCheckout",
    "PriceDigestLook",
    "PromisedLoss",
    "RateUnitQuestion",
    "ReferralEarning",
    "RefundReason",
    "RestoreGap",
    "RetentionMark",
    "ServiceCost",
    "ServicePace",
    "ServiceRequest",
    "Status",
    "StatusWord",
    "Total",
    "TotalSpan",
    "UpstreamAssumption",
    "UpstreamBalance",
    "UpstreamEntry",
    "WatchedPrice",
    "load_services_sold",
    "load_sold",
]
