"""Logs that can be searched: one JSON object a line in production, colours on a developer's terminal."""

import logging
import logging.config
import threading
import time
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class Seldom(logging.Filter):
    """Lets one line a minute through and counts the others: for what strangers cause as often as they like."""

    SECONDS = 60

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._said_at, self._unsaid = -float(self.SECONDS), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written; it then tells how many like it were not."""
        now = time.monotonic()
        with self._lock:
            if now - self._said_at < self.SECONDS:
                self._unsaid += 1
                return False
            record.unsaid, self._unsaid, self._said_at = self._unsaid, 0, now
        return True


def logging_config(level: str, as_json: bool) -> dict[str, Any]:
    """Return the `logging` dictionary. ERROR and above are also mailed to ADMIN_EMAILS, but for what visitors cause."""
    # Not the renderer's usual tracebacks: those print local variables, and with them keys and passwords.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if as_json else console
    # A line for each message of a queue would be most of an idle shop's log; /metrics counts what they tell.
    of_messages = "DEBUG" if level == "DEBUG" else "WARNING"
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    if as_json:
        final.insert(1, structlog.processors.format_exc_info)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": final,
                "foreign_pre_chain": _SHARED,
            }
        },
        "filters": {"seldom": {"()": "storefront.configuration.logs.Seldom"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line"},
            "seldom": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["seldom"]},
            "mail_admins": {
                "class": "storefront.monitoring.error_mails.ErrorMailHandler",
                "level": "ERROR",
                "include_html": False,
            },
        },
        "root": {"handlers": ["console", "mail_admins"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # A line a request while Redis is away: worth a log, not a mail each.
            "cache": {"handlers": ["console"], "level": "ERROR", "propagate": False},
            # Requests that no browser makes: for another host, with files, with too many fields.
            "django.security": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "django.security.DisallowedHost": {
                "handlers": ["console"],
                "level": "WARNING",
                "propagate": False,
                "filters": ["seldom"],
            },
            # A collector of traces that is away: nobody's page waits for it, and no mail is needed.
            "opentelemetry": {"handlers": ["seldom"], "level": "WARNING", "propagate": False},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "celery.worker.strategy": {"handlers": [], "level": of_messages, "propagate": True},
            "celery.app.trace": {"handlers": [], "level": of_messages, "propagate": True},
            "celery.beat": {"handlers": [], "level": of_messages, "propagate": True},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Set up `logging` and structlog together; Django calls it with LOGGING."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
