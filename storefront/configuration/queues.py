"""Which queue each task waits in: what is slow must not stand in front of what moves money.

A worker that is given no `-Q` serves all queues; a shop that has more to do gives each a worker of its own. A message
is only a wake-up, so one that waits in the wrong place costs seconds; a task that is named nowhere here waits in LEFT.
"""

from typing import Any

from kombu import Exchange, Queue

QUEUES: dict[str, tuple[str, ...]] = {
    # Purchases, what became of them when nobody knows, payments, and every other task that moves money.
    "money": (
        "orders.tasks.check_upstream_balance",
        "orders.tasks.credit_cashback",
        "orders.tasks.credit_referrals",
        "orders.tasks.follow_losses",
        "orders.tasks.forward_new_orders",
        "orders.tasks.forward_orders",
        "orders.tasks.place_pending_checkouts",
        "orders.tasks.probe_foreign_ids",
        "orders.tasks.reconcile_orders",
        "orders.tasks.release_stale_claims",
        "orders.tasks.resume_forwarding",
        "orders.tasks.review_held_orders",
        "wallet.tasks.check_top_ups",
    ),
    # How open orders are doing, and the late checks of finished ones.
    "polling": ("orders.tasks.poll_orders",),
    # Numbers, whose codes somebody is waiting for.
    "numbers": ("orders.tasks.poll_numbers", "sms.tasks.replace_numbers", "sms.tasks.seal_codes"),
    # What takes minutes and may wait for some: the catalog, reports, the audit, retention, long work of staff.
    "sync": (
        "api.tasks.clean_simulated_orders",
        "api.tasks.clean_webhooks",
        "catalog.tasks.apply_import_rules",
        "catalog.tasks.keep_price_points",
        "catalog.tasks.keep_word_index",
        "catalog.tasks.learn_words",
        "catalog.tasks.read_titles",
        "catalog.tasks.refresh_titles",
        "catalog.tasks.reprice_services",
        "catalog.tasks.send_stock_alerts",
        "catalog.tasks.sync_catalog",
        "catalog.tasks.sync_catalog_in_full",
        "catalog.tasks.sync_translations",
        "jobs.tasks.run_jobs",
        "orders.tasks.compare_totals",
        "orders.tasks.count_purchases",
        "orders.tasks.keep_totals",
        "orders.tasks.measure_quality",
        "orders.tasks.move_customers",
        "orders.tasks.send_price_digests",
        "orders.tasks.warn_of_deadlines",
        "privacy.tasks.delete_accounts",
        "privacy.tasks.prepare_exports",
        "sms.tasks.count_success_rates",
        "sms.tasks.sync_sms",
        "sms.tasks.sync_translations",
        "sms.tasks.wipe_sms_contents",
        "storefront.tasks.audit_books",
        "storefront.tasks.back_up",
        "storefront.tasks.fetch_exchange_rate",
        "storefront.tasks.forget_old_rows",
        "support.tasks.come_back",
        "support.tasks.measure_status",
    ),
    # What waits for servers of others: mail, and customers' webhooks.
    "mail": (
        "api.tasks.send_webhooks",
        "notifications.tasks.send_letters",
        "notifications.tasks.send_notices",
        "storefront.tasks.mail_error",
        "storefront.tasks.mail_error_count",
    ),
}
# Beat sends one to each queue, and so says where: see schedule.py.
IN_EVERY_QUEUE = "storefront.tasks.beat_heartbeat"
# The only queue of version 0.2 and before. While processes of both versions run, what the old ones send waits here; the
# workers of `money` serve it, because purchases are the most urgent part of it.
LEFT = "shop"


def queue_settings() -> dict[str, Any]:
    """Return Celery's settings of queues and routes by name."""
    return {
        "CELERY_TASK_DEFAULT_QUEUE": LEFT,
        "CELERY_TASK_QUEUES": [Queue(name, Exchange(name), routing_key=name) for name in (*QUEUES, LEFT)],
        "CELERY_TASK_ROUTES": {task: {"queue": queue} for queue, tasks in QUEUES.items() for task in tasks},
        # A worker for a queue that is misspelled must not start and wait for ever.
        "CELERY_TASK_CREATE_MISSING_QUEUES": False,
    }
