"""Addresses of the wallet pages, and of the doors gateways knock at."""

from django.urls import path

from wallet.views import callbacks, demo, receipts, statement, top_ups
from wallet.views.home import home

app_name = "wallet"
urlpatterns = [
    path("", home, name="home"),
    path("statement.csv", statement.statement, name="statement"),
    path("statement/<int:year>-<int:number>.csv", statement.month, name="month"),
    path("receipts", receipts.receipts, name="receipts"),
    path("receipts/<int:number>", receipts.receipt, name="receipt"),
    path("add", top_ups.add, name="add"),
    path("payments/<slug:reference>", top_ups.payment, name="payment"),
    path("payments/<slug:reference>/pay", top_ups.pay, name="pay"),
    path("payments/<slug:reference>/cancel", top_ups.cancel, name="cancel"),
    path("payments/<slug:reference>/declare", top_ups.declare, name="declare"),
    path("demo/<slug:reference>", demo.demo, name="demo"),
    path("callbacks/<slug:name>", callbacks.callback, name="callback"),
]
