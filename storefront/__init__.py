"""The shop put together: settings, addresses, the Celery app, home and health pages, the demo."""

from storefront.celery import app as celery_app

# The one place it comes from: the newest heading of CHANGELOG.md and pyproject.toml are held to it by a test.
__version__ = "0.2.0"

__all__ = ["__version__", "celery_app"]
