"""What beat asks for, and how often: each job's interval is an environment variable of its own."""

from typing import Any

from storefront.configuration.environment import Environment
from storefront.configuration.queues import IN_EVERY_QUEUE, QUEUES


def beat_schedule(
    env: Environment,
    sync_full_seconds: float,
    *,
    fetches_exchange_rate: bool,
    fetches_translations: bool,
    backs_up: bool = False,
) -> dict[str, Any]:
    """Return Celery's CELERY_BEAT_SCHEDULE, read from the environment."""

    def _every(name: str, default_seconds: float, task: str) -> dict[str, Any]:
        # A message that waited longer than two rounds is dropped, the next one does its work.
        every = env.seconds(name, default_seconds)
        return {"task": task, "schedule": every, "options": {"expires": 2 * every}}

    schedule = {
        "sync_catalog": _every("SYNC_CATALOG_EVERY_SECONDS", 900, "catalog.tasks.sync_catalog"),
        "sync_catalog_in_full": _every(
            "SYNC_FULL_EVERY_SECONDS", sync_full_seconds, "catalog.tasks.sync_catalog_in_full"
        ),
        "reprice_services": _every("REPRICE_EVERY_SECONDS", 60, "catalog.tasks.reprice_services"),
        "apply_import_rules": _every("IMPORT_RULES_EVERY_SECONDS", 60, "catalog.tasks.apply_import_rules"),
        "read_titles": _every("READ_TITLES_EVERY_SECONDS", 600, "catalog.tasks.read_titles"),
        # Looked at more often than daily: a beat that is restarted every day must not put it off for ever.
        "keep_price_points": _every("KEEP_PRICES_EVERY_SECONDS", 21_600, "catalog.tasks.keep_price_points"),
        "sync_sms": _every("SYNC_SMS_EVERY_SECONDS", 900, "sms.tasks.sync_sms"),
        "count_success_rates": _every("SMS_SUCCESS_EVERY_SECONDS", 300, "sms.tasks.count_success_rates"),
        "learn_words": _every("LEARN_WORDS_EVERY_SECONDS", 900, "catalog.tasks.learn_words"),
        "keep_word_index": _every("INDEX_WORDS_EVERY_SECONDS", 10, "catalog.tasks.keep_word_index"),
        "forward_orders": _every("FORWARD_ORDERS_EVERY_SECONDS", 3, "orders.tasks.forward_orders"),
        "release_stale_claims": _every("RELEASE_CLAIMS_EVERY_SECONDS", 15, "orders.tasks.release_stale_claims"),
        "poll_orders": _every("POLL_ORDERS_EVERY_SECONDS", 5, "orders.tasks.poll_orders"),
        "poll_numbers": _every("POLL_NUMBERS_EVERY_SECONDS", 1, "orders.tasks.poll_numbers"),
        "replace_numbers": _every("REPLACE_NUMBERS_EVERY_SECONDS", 5, "sms.tasks.replace_numbers"),
        "seal_codes": _every("SEAL_CODES_EVERY_SECONDS", 60, "sms.tasks.seal_codes"),
        # Looked at more often than daily: a beat that is restarted every day must not put it off for ever.
        "wipe_sms_contents": _every("WIPE_SMS_CONTENTS_EVERY_SECONDS", 21_600, "sms.tasks.wipe_sms_contents"),
        "reconcile_orders": _every("RECONCILE_EVERY_SECONDS", 30, "orders.tasks.reconcile_orders"),
        "follow_losses": _every("FOLLOW_LOSSES_EVERY_SECONDS", 300, "orders.tasks.follow_losses"),
        "probe_foreign_ids": _every("PROBE_FOREIGN_IDS_EVERY_SECONDS", 3600, "orders.tasks.probe_foreign_ids"),
        "resume_forwarding": _every("RESUME_FORWARDING_EVERY_SECONDS", 20, "orders.tasks.resume_forwarding"),
        "check_upstream_balance": _every("CHECK_BALANCE_EVERY_SECONDS", 60, "orders.tasks.check_upstream_balance"),
        "review_held_orders": _every("REVIEW_HELD_EVERY_SECONDS", 60, "orders.tasks.review_held_orders"),
        "warn_of_deadlines": _every("COMPLAINT_DEADLINES_EVERY_SECONDS", 300, "orders.tasks.warn_of_deadlines"),
        "send_stock_alerts": _every("STOCK_ALERTS_EVERY_SECONDS", 60, "catalog.tasks.send_stock_alerts"),
        # Looked at more often than it is sent: a beat that is restarted every day must not put it off for ever.
        "send_price_digests": _every("PRICE_DIGEST_CHECK_EVERY_SECONDS", 1800, "orders.tasks.send_price_digests"),
        "count_purchases": _every("COUNT_PURCHASES_EVERY_SECONDS", 3600, "orders.tasks.count_purchases"),
        "keep_totals": _every("KEEP_TOTALS_EVERY_SECONDS", 300, "orders.tasks.keep_totals"),
        # Looked at more often than daily: a beat that is restarted every day must not put it off for ever.
        "compare_totals": _every("COMPARE_TOTALS_EVERY_SECONDS", 21_600, "orders.tasks.compare_totals"),
        "measure_quality": _every("QUALITY_EVERY_SECONDS", 3600, "orders.tasks.measure_quality"),
        "check_top_ups": _every("CHECK_TOP_UPS_EVERY_SECONDS", 60, "wallet.tasks.check_top_ups"),
        "place_pending_checkouts": _every("PENDING_CHECKOUTS_EVERY_SECONDS", 5, "orders.tasks.place_pending_checkouts"),
        "audit_books": _every("AUDIT_EVERY_SECONDS", 86_400, "storefront.tasks.audit_books"),
        "move_customers": _every("LEVELS_EVERY_SECONDS", 3600, "orders.tasks.move_customers"),
        "credit_cashback": _every("CASHBACK_EVERY_SECONDS", 3600, "orders.tasks.credit_cashback"),
        "credit_referrals": _every("REFERRALS_EVERY_SECONDS", 3600, "orders.tasks.credit_referrals"),
        "clean_simulated_orders": _every(
            "CLEAN_SIMULATED_ORDERS_EVERY_SECONDS", 86_400, "api.tasks.clean_simulated_orders"
        ),
        "bring_tickets_back": _every("TICKETS_COME_BACK_EVERY_SECONDS", 60, "support.tasks.come_back"),
        "send_webhooks": _every("SEND_WEBHOOKS_EVERY_SECONDS", 5, "api.tasks.send_webhooks"),
        "forget_old_rows": _every("FORGET_OLD_ROWS_EVERY_SECONDS", 3600, "storefront.tasks.forget_old_rows"),
        "run_jobs": _every("RUN_JOBS_EVERY_SECONDS", 10, "jobs.tasks.run_jobs"),
        "prepare_exports": _every("PREPARE_EXPORTS_EVERY_SECONDS", 60, "privacy.tasks.prepare_exports"),
        "delete_accounts": _every("DELETE_ACCOUNTS_EVERY_SECONDS", 3600, "privacy.tasks.delete_accounts"),
        "clean_webhooks": _every("CLEAN_WEBHOOKS_EVERY_SECONDS", 3600, "api.tasks.clean_webhooks"),
        "measure_status": _every("MEASURE_STATUS_EVERY_SECONDS", 180, "support.tasks.measure_status"),
        "send_notices": _every("SEND_NOTICES_EVERY_SECONDS", 15, "notifications.tasks.send_notices"),
    }
    for queue in QUEUES:  # a worker of each says that it is there
        heartbeat = _every("HEARTBEAT_EVERY_SECONDS", 10, IN_EVERY_QUEUE)
        heartbeat["options"]["queue"] = queue
        schedule[f"heartbeat_of_{queue}"] = {**heartbeat, "kwargs": {"queue": queue}}
    if backs_up:
        schedule["back_up"] = _every("BACKUP_EVERY_SECONDS", 21_600, "storefront.tasks.back_up")
    if fetches_exchange_rate:
        schedule["fetch_exchange_rate"] = _every(
            "EXCHANGE_RATE_EVERY_SECONDS", 86_400, "storefront.tasks.fetch_exchange_rate"
        )
    if fetches_translations:
        # Looked at more often than a round begins: one that was interrupted goes on soon.
        for job, task in (
            ("sync_translations", "catalog.tasks.sync_translations"),
            ("sync_sms_translations", "sms.tasks.sync_translations"),
        ):
            schedule[job] = _every("CHECK_TRANSLATIONS_EVERY_SECONDS", 600, task)
    return schedule
