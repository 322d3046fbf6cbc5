"""The customer's pages: order one service or many at once, see one's orders, follow one of them."""

from orders.pages.views.goods import goods, goods_file
from orders.pages.views.goods_claims import goods_claim
from orders.pages.views.history import detail, export, order_list
from orders.pages.views.mass import mass
from orders.pages.views.placing import place
from orders.pages.views.quick import quick, quick_services
from orders.pages.views.referrals import referrals
from orders.pages.views.service_requests import ask, cancel
from orders.pages.views.stock_alerts import stock_alert

__all__ = [
    "ask",
    "cancel",
    "detail",
    "export",
    "goods",
    "goods_claim",
    "goods_file",
    "mass",
    "order_list",
    "place",
    "quick",
    "quick_services",
    "referrals",
    "stock_alert",
]
