"""Samples of what customers are told about payments that led to no order."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.models import Service
from notifications.kinds import PAYMENTS
from notifications.samples import Sample
from orders.models import PendingCheckout
from orders.notices.samples import FOLLOWERS
from orders.placing.pay_first import words_of_drop
from wallet.models import TopUp


def _not_placed(reader: User) -> tuple[str, str]:
    service, top_up = Service(pk=1, name=FOLLOWERS), TopUp(pk=1, user=reader, credited_micros=10_000_000)
    pending = PendingCheckout(pk=1, user=reader, service=service, top_up=top_up)
    reason = gettext("The price has since risen to %(price)s.") % {"price": money(11_500_000)}
    return words_of_drop(pending, reason)


SAMPLES = [Sample("not-placed", PAYMENTS, _("Paid, but not placed"), _not_placed)]
