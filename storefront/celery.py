"""The Celery app: `celery -A storefront worker` and `celery -A storefront beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")

app = Celery("storefront")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging_as_set(**_further: Any) -> None:
    """Leave LOGGING and LOG_LEVEL as they are: Celery would add lines that are no JSON."""
