"""The ledger seen as the shop's books: a report by day and month, with a permission of its own."""

from django.utils.translation import gettext_lazy as _

from wallet.models import LedgerEntry


class Books(LedgerEntry):
    """The same rows; its admin page adds them up instead of listing them."""

    class Meta:
        proxy = True
        verbose_name = _("books")
        verbose_name_plural = _("books")
