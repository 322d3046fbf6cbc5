"""The customer's pages: order one service or many at once, see one's orders, follow one of them."""

from orders.views.goods import goods, goods_file
from orders.views.history import detail, export, order_list
from orders.views.mass import mass
from orders.views.placing import place
from orders.views.referrals import referrals
from orders.views.watching import watch
from orders.views.wishes import ask, cancel

__all__ = [
    "ask",
    "cancel",
    "detail",
    "export",
    "goods",
    "goods_file",
    "mass",
    "order_list",
    "place",
    "referrals",
    "watch",
]
