"""What the wallet shows on a customer's page: the balance, and the payments."""

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.models import User
from accounts.templatetags.money import money
from wallet.models import TopUp, Wallet
from wallet.operations.reversals import owed_by


@shows_of_customers("wallet.wallet", place=10)
def balance(user: User, request: HttpRequest) -> Block:
    """Show what the customer has and owes; two statements."""
    wallet, owed_micros = Wallet.objects.filter(user=user).first(), owed_by(user)
    lines = [
        (_("Balance"), money(wallet.balance_micros if wallet else 0)),
        (_("Owes"), money(owed_micros) if owed_micros else ""),
    ]
    if wallet is None:
        return Block(_("Wallet"), lines)
    every = ""
    if request.user.has_perm("wallet.view_ledgerentry"):
        every = f"{reverse('admin:wallet_ledgerentry_changelist')}?wallet__id__exact={wallet.pk}"
    return Block(
        _("Wallet"),
        lines,
        reverse("admin:wallet_wallet_change", args=[wallet.pk]),
        all_link=every,
        all_title=_("Ledger"),
    )


@shows_of_customers("wallet.topup", place=20)
def payments(user: User, request: HttpRequest) -> Block:
    """Show what came in, and the newest payments; two statements."""
    theirs = TopUp.objects.filter(user=user)
    counted = theirs.aggregate(
        paid=Count("pk", filter=Q(received_micros__gt=0)),
        micros=Sum("received_micros"),
        human=Count("pk", filter=~Q(attention="")),
    )
    lines = [
        (pgettext("payments", "Paid"), number_format(counted["paid"], force_grouping=True)),
        (_("Received"), money(counted["micros"] or 0)),
        (_("Need attention"), number_format(counted["human"]) if counted["human"] else ""),
    ]
    rows = [
        Row(f"{top_up.reference} · {money(top_up.pay_micros)}", top_up.get_status_display(),
            reverse("admin:wallet_topup_change", args=[top_up.pk]))
        for top_up in theirs.newest_first()[:NEWEST]
    ]  # fmt: skip
    every = f"{reverse('admin:wallet_topup_changelist')}?user__id__exact={user.pk}" if rows else ""
    return Block(_("Payments"), lines, rows=rows, all_link=every)
