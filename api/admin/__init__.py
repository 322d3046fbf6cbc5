"""What staff sees of webhooks and of the test mode."""

from api.admin import test_mode, webhooks  # noqa: F401 - registers them
