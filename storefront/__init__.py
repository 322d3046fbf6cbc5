"""The shop put together: settings, addresses, the Celery app, home and health pages, the demo."""

from storefront.celery import app as celery_app

__all__ = ["celery_app"]
