"""What of the set-up of a new shop is settled."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SetUpStep(models.Model):
    """What became of a step of `storefront.set_up.steps`, in the words that its page shows; no row: nothing yet."""

    class State(models.TextChoices):
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Put off"

    name = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=7, choices=State)
    said = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("step of the set-up")
        verbose_name_plural = _("steps of the set-up")

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
