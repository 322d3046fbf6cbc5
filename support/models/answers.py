"""Answers that are written before anybody asks: rules that answer first, texts for staff, messages to the supplier."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class FirstAnswerRule(models.Model):
    """What a question is checked for before a human sees it; the owner switches it and words its answer.

    What a rule looks at is code under `code` (support/first_answers/); how long its `hours` are and what it says is
    here. `texts` is {language: text}, {} for the text that ships with the rule, with placeholders in braces.
    """

    code = models.SlugField(_("rule"), max_length=40, unique=True)
    active = models.BooleanField(_("active"), default=True)
    hours = models.PositiveIntegerField(_("hours"), null=True, blank=True)
    texts = models.JSONField(_("texts"), default=dict, blank=True)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)

    class Meta:
        ordering = ["code"]
        verbose_name = _("first answer")
        verbose_name_plural = _("first answers")

    def __str__(self) -> str:
        return self.code.replace("_", " ")


class CannedAnswer(models.Model):
    """A text that staff answers with often: `texts` is {language: text}, with placeholders in braces."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    reasons = models.JSONField(_("offered first for"), default=list, blank=True)
    texts = models.JSONField(_("texts"), default=dict)
    active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name = _("canned answer")
        verbose_name_plural = _("canned answers")

    def __str__(self) -> str:
        return self.name


class SupplierMessage(models.Model):
    """What the supplier should be told about an order, ready to be copied: its API has no action for it.

    `text` is as it was prepared. Staff copies it into the supplier's own form and marks it as sent.
    """

    ticket = models.ForeignKey(
        "support.Ticket", on_delete=models.CASCADE, related_name="supplier_messages", verbose_name=_("ticket")
    )
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("message to the supplier")
        verbose_name_plural = _("messages to the supplier")

    def __str__(self) -> str:
        return f"#{self.ticket_id} {self.created_at:%Y-%m-%d %H:%M}"
