from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from catalog.sync.listeners import when_syncs_end
        from notifications.samples import declare_samples
        from orders.accounting.audit import audits_too
        from orders.accounting.daily_totals.check import check_totals
        from orders.claims.replacing import note_fallen_through
        from orders.claims.samples import SAMPLES as CLAIMS
        from orders.fulfilment.service_supply import ServiceSupply
        from orders.lifecycle.listeners import when_orders_change
        from orders.lifecycle.supply import register
        from orders.lifecycle.sync_drift import note_sync
        from orders.models import Kind
        from orders.notices.samples import SAMPLES as NEWS
        from orders.pages.wallet_pages import booked_for_order, purpose_of, reserved_by
        from orders.placing.samples import SAMPLES as PAYMENTS
        from orders.reconciliation.refunds_by_hand import carry_out_refund, page_of_order
        from wallet.extensions import tells_booked, tells_page, tells_purpose, tells_reserved
        from wallet.models import MoneyRequest
        from wallet.operations.second_person import carries_out

        register(Kind.SERVICE, ServiceSupply())
        audits_too(check_totals)
        when_syncs_end(note_sync)
        when_orders_change(note_fallen_through)
        tells_purpose(purpose_of)
        tells_reserved(reserved_by)
        tells_booked(booked_for_order)
        carries_out(MoneyRequest.Kind.REFUND, carry_out_refund)
        tells_page(MoneyRequest.Kind.REFUND, page_of_order)
        declare_samples([*NEWS, *CLAIMS, *PAYMENTS])
