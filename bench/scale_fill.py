"""A shop with very many rows, made by set-based SQL that keeps the books: what `bench.scale` measures.

Customer 1 has half of all orders, customer 2 a twentieth, all of them numbers; the others share the rest. The newest
orders are open. Every order was paid for by a top-up with a bonus; refunds are in the ledger as in the order.
"""

import json
from dataclasses import dataclass

PRICE, REFUND, TOP_UP, BONUS = 1_875_000, 625_000, 2_000_000, 100_000
LARGE, NUMBERS, SMALL = 1, 2, 3  # customers


@dataclass(frozen=True)
class Size:
    """How many rows there are; everything follows the number of orders."""

    orders: int

    @property
    def values(self) -> dict[str, int | str]:
        """Return what stands for the names in the statements."""
        return {
            "orders": self.orders,
            "first_open": self.orders - self.orders // 50 + 1,
            "first_watched": self.orders - self.orders // 25 + 1,
            "customers": max(self.orders // 20, 200),
            "services": max(self.orders // 10, 500),
            "few": max(self.orders // 100, 50),
            "price": PRICE,
            "refund": REFUND,
            "top_up": TOP_UP,
            "bonus": BONUS,
            "held": json.dumps({"cost_micros": 2 * PRICE, "paid_micros": PRICE}),
        }


# One order: whose, what, and how it stands. `n` counts from the oldest.
_ORDERS = """
    CREATE TABLE scale_orders AS
    SELECT n, kind, status, made,
        CASE WHEN n %% 2 = 0 THEN 1 WHEN n %% 20 = 1 THEN 2
            ELSE 3 + (n::bigint * 7919) %% (%(customers)s - 2) END AS buyer,
        CASE WHEN kind = 'service' THEN 1 + (n::bigint * 104729) %% %(services)s END AS service,
        CASE WHEN status IN ('failed', 'canceled') THEN %(price)s
            WHEN status = 'partial' THEN %(refund)s ELSE 0 END AS refunded,
        CASE WHEN status NOT IN ('failed', 'paid', 'unknown') THEN (1000000 + n)::text END AS upstream
    FROM (
        SELECT n, CASE WHEN n %% 20 IN (1, 3, 5, 7) THEN 'number' ELSE 'service' END AS kind,
            CASE WHEN n > %(orders)s - 100 AND n %% 2 = 0 THEN 'unknown'
                WHEN n >= %(first_open)s AND n %% 20 = 2 THEN 'paid'
                WHEN n >= %(first_open)s AND n %% 20 IN (1, 3, 4, 5, 6, 7) THEN 'pending'
                WHEN n >= %(first_open)s THEN 'in_progress'
                WHEN n %% 100 IN (3, 4, 5, 6, 8) THEN 'canceled'
                WHEN n %% 100 IN (9, 10) THEN 'failed'
                WHEN n %% 20 IN (1, 3, 5, 7) THEN 'completed'
                WHEN n %% 100 BETWEEN 11 AND 20 THEN 'partial'
                ELSE 'completed' END AS status,
            now() - interval '365 days' * (%(orders)s - n) / %(orders)s AS made
        FROM generate_series(1, %(orders)s) AS n
    ) AS numbered"""

STATEMENTS = [
    """INSERT INTO accounts_user (id, password, is_superuser, email, wants_mail, wants_price_mail, language, is_staff,
            is_active, date_joined, referred_by_id)
        SELECT n, '!', false, 'scale' || n || '@example.com', true, false, 'en', false, true,
            now() - interval '366 days', CASE WHEN n > 3 AND n %% 5 = 0 THEN n - 1 END
        FROM generate_series(1, %(customers)s) AS n""",
    """INSERT INTO notifications_noticechoice (user_id, kind, channel, wanted)
        SELECT n, 'prices', 'mail', true FROM generate_series(10, %(customers)s, 10) AS n""",
    """INSERT INTO account_emailaddress (email, verified, "primary", user_id)
        SELECT email, true, true, id FROM accounts_user""",
    """INSERT INTO wallet_wallet (id, user_id, balance_micros, created_at)
        SELECT id, id, 0, date_joined FROM accounts_user""",
    """INSERT INTO catalog_category (id, name, display_name, delivery, rate_per, rate_confirmed_at, visible, position)
        SELECT n, 'Category ' || n, '', 'link', 1000, now(), true, n FROM generate_series(1, 200) AS n""",
    """INSERT INTO catalog_service (id, upstream_id, name, type, rate_upstream_micros, min_quantity, max_quantity,
            refill, cancel, stock, upstream_description, search_text, display_name, description, visible, position,
            delivery_override, paused_because, selling_rate_micros, selling_per_thousand_micros, bought_lately,
            missed_syncs, first_seen_at, changed_at, category_id)
        SELECT n, 10000000 + n, 'Followers ' || n || ' of place ' || n %% 997, 'Default', 1500000, 10, 10000,
            n %% 3 = 0, n %% 4 = 0, CASE WHEN n %% 50 = 0 THEN 0 END, '', 'followers ' || n || ' of place ' || n %% 997,
            '', '', true, n, '', '', 1875000, 1875000, 0, 0, now(), now(), 1 + n %% 200
        FROM generate_series(1, %(services)s) AS n""",
    """INSERT INTO catalog_favorite (user_id, service_id, created_at)
        SELECT customer, 1 + (customer * 31 + n * 977) %% %(services)s, now()
        FROM generate_series(1, %(customers)s, 20) AS customer, generate_series(1, 5) AS n""",
    """INSERT INTO catalog_stockalert (user_id, service_id, created_at)
        SELECT n, 50 * (1 + n %% (%(services)s / 50)), now() FROM generate_series(1, %(few)s) AS n
        WHERE n <= %(customers)s""",
    _ORDERS,
    """INSERT INTO orders_checkout (id, user_id, request_id, fingerprint, created_at)
        SELECT n, buyer, 'scale-' || n, '', made FROM scale_orders""",
    """INSERT INTO orders_order (id, user_id, checkout_id, kind, status, title, quantity, link, comments, price_micros,
            refunded_micros, rate_micros, rate_upstream_micros, rate_per, cost_upstream_micros, charge_upstream_micros,
            exchange_rate_micros, pricing, accepted_loss_micros, upstream_id, upstream_word, attempts,
            last_upstream_id_before, sent_at, answered_at, next_poll_at, polled_at, not_found_times, held_because,
            held_details, created_at, finished_at, service_id)
        SELECT n, buyer, n, kind, status,
            CASE WHEN kind = 'service' THEN 'Followers ' || service || ' of place ' || service %% 997
                ELSE 'Number for site ' || n %% 50 END,
            CASE WHEN kind = 'service' THEN 1000 ELSE 1 END,
            CASE WHEN kind = 'service' THEN 'https://example.com/' || n %% 100003 ELSE '' END, '', %(price)s,
            refunded, 1875000, 1500000, 1000, 1500000, CASE WHEN upstream IS NOT NULL THEN 1500000 END,
            1000000, '{}', 0, upstream, '', CASE WHEN status = 'paid' THEN 0 ELSE 1 END, '',
            CASE WHEN status <> 'paid' THEN made END, CASE WHEN upstream IS NOT NULL THEN made END,
            CASE WHEN status IN ('pending', 'in_progress') THEN now() + interval '1 second' * (n %% 3600 - 60)
                WHEN upstream IS NOT NULL AND kind = 'service' AND n >= %(first_watched)s
                    THEN now() + interval '1 second' * (n %% 40000 - 20000) END,
            CASE WHEN upstream IS NOT NULL THEN made END, 0,
            CASE WHEN status = 'paid' AND n %% 40 = 2 THEN 'loss' ELSE '' END,
            CASE WHEN status = 'paid' AND n %% 40 = 2 THEN %(held)s::jsonb ELSE '{}' END, made,
            CASE WHEN n < %(first_open)s THEN made + interval '8 hours' END, service
        FROM scale_orders""",
    """INSERT INTO orders_orderevent (order_id, code, status, data, evidence, created_at)
        SELECT n, code, status, '{}', '{}', made FROM scale_orders,
            unnest(ARRAY['placed', 'claimed', 'accepted', 'progress']) AS code""",
    """INSERT INTO orders_attentionflag (order_id, code, details, raised_at)
        SELECT n, 'no_remains', '{}', made FROM scale_orders WHERE status = 'in_progress' LIMIT 300""",
    """INSERT INTO orders_lostattempt (order_id, kind, number, sent_at, id_before, cause, cause_detail, state,
            upstream_id, doubt, doubt_detail, asked_about, evidence, created_at, cost_upstream_micros)
        SELECT n, kind, 1, made, (999000 + n)::text, 'no_answer', '', 'lost', '', '', '', '', '{}', made, 1500000
        FROM scale_orders WHERE status = 'unknown'""",
    """INSERT INTO wallet_topup (id, user_id, gateway, reference, gateway_id, pay_url, status, currency, amount_micros,
            fee_micros, bonus_micros, pay_micros, received_micros, credited_micros, refunded_micros, disputed_micros,
            reversed_micros, note, attention, created_at, paid_at, checks)
        SELECT n, buyer, (ARRAY['stripe', 'btcpay', 'manual'])[1 + n %% 3], 'B' || lpad(n::text, 11, '0'),
            'scale-' || n, '', 'paid', 'USD', %(top_up)s, 0, %(bonus)s, %(top_up)s, %(top_up)s, %(top_up)s + %(bonus)s,
            0, 0, 0, '', CASE WHEN n %% 50000 = 0 THEN 'looks odd' ELSE '' END, made, made, 0
        FROM scale_orders""",
    """INSERT INTO wallet_ledgerentry (wallet_id, kind, amount_micros, reference, note, created_at)
        SELECT buyer, entry.kind, entry.micros, entry.reference, '', made FROM scale_orders, LATERAL (VALUES
            (1, 'top_up', %(top_up)s, 'top_up:B' || lpad(n::text, 11, '0')),
            (2, 'bonus', %(bonus)s, 'top_up:B' || lpad(n::text, 11, '0') || ':bonus'),
            (3, 'charge', -%(price)s, 'order:' || n),
            (4, 'refund', refunded, 'order:' || n || ':refund:' || refunded)
        ) AS entry (place, kind, micros, reference)
        WHERE entry.micros <> 0 ORDER BY n, entry.place""",
    """UPDATE wallet_wallet SET balance_micros = booked.micros
        FROM (SELECT wallet_id, SUM(amount_micros) AS micros FROM wallet_ledgerentry GROUP BY wallet_id) AS booked
        WHERE booked.wallet_id = wallet_wallet.id""",
    """INSERT INTO orders_referralearning (order_id, referrer_id, percent, state, amount_micros, due_at, created_at)
        SELECT n, buyer - 1, 5, 'waiting', 0, made + interval '8 days', made FROM scale_orders
        WHERE buyer > 3 AND buyer %% 5 = 0 AND status = 'completed' AND n < %(first_watched)s LIMIT %(few)s""",
    """INSERT INTO notifications_notice (key, user_id, kind, in_bell, subject, body, created_at, sent_at, tries)
        SELECT 'scale:' || n, buyer, 'orders', true, 'Order finished', 'Your order has been completed.', made,
            CASE WHEN n <= %(orders)s - 500 THEN made END, 0
        FROM scale_orders""",
    """INSERT INTO sms_country (id, code, name, dial_code, search_text, visible)
        SELECT n, 'c' || n, 'Country ' || n, '', 'country ' || n, true FROM generate_series(1, 100) AS n""",
    """INSERT INTO sms_site (id, name, search_text, aliases, visible, forbidden)
        SELECT n, 'Site ' || n, 'site ' || n, '', true, false FROM generate_series(1, 50) AS n""",
    """INSERT INTO sms_project (id, upstream_id, name, search_text, price_upstream_micros, visible, missed_syncs,
            country_id, site_id)
        SELECT n, n::text, 'Site ' || 1 + n %% 50, 'site ' || 1 + n %% 50, 100000, true, 0, 1 + n / 50, 1 + n %% 50
        FROM generate_series(0, 4999) AS n""",
    """INSERT INTO sms_number (order_id, state, reuse_phone, phone, code, content, expires_at, received_at, created_at,
            project_id)
        SELECT n, CASE WHEN status IN ('pending', 'in_progress') THEN 'waiting'
                WHEN status = 'completed' THEN 'received'
                WHEN status = 'failed' THEN 'failed' ELSE 'expired' END,
            '', '1555' || lpad(n::text, 8, '0'), CASE WHEN status = 'completed' THEN %(code)s ELSE '' END, '',
            made + interval '20 minutes', CASE WHEN status = 'completed' THEN made + interval '20 seconds' END, made,
            n %% 5000
        FROM scale_orders WHERE kind = 'number'""",
    """INSERT INTO api_webhook (id, user_id, name, url, host, secret_encrypted, old_secret_encrypted, wants_orders,
            wants_numbers, created_at, disabled_because)
        SELECT n, n, '', 'https://example.com/' || n, 'example.com:443', '', '', true, true, now(), ''
        FROM generate_series(1, %(few)s) AS n WHERE n <= %(customers)s""",
    """INSERT INTO api_webhookdelivery (webhook_id, event_id, event, order_id, body_encrypted, created_at, attempts,
            next_attempt_at, delivered_at, error)
        SELECT webhook.id, gen_random_uuid(), 'order.completed', n, '', made, 1,
            CASE WHEN n > %(orders)s - 1000 THEN now() END, CASE WHEN n <= %(orders)s - 1000 THEN made END, ''
        FROM scale_orders JOIN api_webhook webhook ON webhook.user_id = buyer""",
    """INSERT INTO support_ticket (id, user_id, order_id, reason, subject, state, created_at, changed_at, waiting_since,
            rating_text)
        SELECT n, buyer, n, 'slow', 'Order #' || n || ' takes too long',
            CASE WHEN n %% 5000 = 0 THEN 'open' ELSE 'closed' END, made, made, CASE WHEN n %% 5000 = 0 THEN made END, ''
        FROM scale_orders WHERE n %% 50 = 0""",
    """INSERT INTO support_message (ticket_id, kind, text, key, created_at)
        SELECT n, said, 'It says that order #' || n || ' is under way, but nothing has come so far.', '', made
        FROM scale_orders, unnest(ARRAY['customer', 'staff', 'customer']) AS said WHERE n %% 50 = 0""",
    "DROP TABLE scale_orders",
]
NUMBERED = (
    "accounts_user", "wallet_wallet", "catalog_category", "catalog_service", "orders_checkout", "orders_order",
    "wallet_topup", "sms_country", "sms_site", "sms_project", "api_webhook",
    "support_ticket",
)  # fmt: skip


def fill(size: Size) -> None:
    """Make the rows, in an empty database whose tables exist, and let PostgreSQL count them."""
    from django.db import connection

    from accounts.encryption import encrypt  # its keys need the settings

    values = {**size.values, "code": encrypt("123456")}
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, values)
        for table in NUMBERED:
            highest = f"SELECT MAX(id) FROM {table}"  # noqa: S608 - our own names
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), ({highest}))")
        cursor.execute("VACUUM (ANALYZE)")
