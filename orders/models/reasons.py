"""Why an order was held back, and why money went back: what happened is a word of these lists, details lie beside."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class HoldReason(models.TextChoices):
    """Why a paid order is not sent until the reason is gone or staff decides."""

    LOSS = "loss", _("Sold at a loss")
    SERVICE_PAUSED = "paused", _("The service is paused")
    STAFF = "staff", _("Held back by staff")


class RefundReason(models.TextChoices):
    """Why a customer got money back; the labels are what the customer reads."""

    PARTIAL = "partial", _("Refund")
    CANCELED = "canceled", _("Order canceled")
    FAILED = "failed", _("We couldn't complete it")
    EXPIRED = "expired", _("No code arrived in time")
    CANCELED_BY_CUSTOMER = "canceled_by_customer", _("You canceled the number, and there was no charge for it")
    REPLACED = "replaced", _("Replaced with another number")
    STAFF = "staff", _("Support decision")
    CLAIM = "claim", _("Goods that didn't work")
