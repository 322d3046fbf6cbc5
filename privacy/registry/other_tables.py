"""What customers keep an eye on, and what their programs use."""

from privacy.registry.kinds import Deleted, Emptied, Export, LeftOut, Table

OTHER_TABLES = (
    Table(
        "catalog.Favorite",
        Export("favorites", ("created_at", "service=service__name", "service_id")),
        Deleted(),
        owner="user",
    ),
    Table(
        "catalog.StockAlert",
        Export("stock_alerts", ("created_at", "service=service__name", "service_id", "notified_at")),
        Deleted(),
        owner="user",
    ),
    Table(
        "api.WebhookDelivery",
        Export(
            "webhook_messages",
            (
                *("event_id", "event", "webhook=webhook__url", "order_id", "created_at", "attempts", "delivered_at"),
                *("given_up_at", "http_status", "error"),
            ),
        ),
        Deleted(),
        owner="webhook__user",
        others=("order",),
    ),
    Table(
        "api.Webhook",
        Export(
            "webhooks",
            ("id", "name", "url", "wants_orders", "wants_numbers", "created_at", "disabled_at", "disabled_because"),
        ),
        Deleted(),
        owner="user",
    ),
    Table(
        "support.AnnouncementDismissal",
        Export("dismissed_announcements", ("announcement_id", "dismissed_at")),
        Deleted(),
        owner="user",
    ),
    Table(
        "support.TermsAcceptance",
        Export("accepted_terms", ("version=version__number", "accepted_at", "door", "address")),
        Emptied({"address": None}, "that the terms were accepted, which version and when, belongs to the books"),
        owner="user",
    ),
    Table("api.SimulatedWallet", LeftOut("play money of test keys"), Deleted(), owner="user"),
    Table(
        "api.SimulatedOrder", LeftOut("test orders, which buy nothing and are soon deleted"), Deleted(), owner="user"
    ),
)
