"""What the shop tells its admins about itself: books that do not add up, and an exchange rate that needs a human."""

from datetime import datetime

import structlog
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import TrailEntry
from catalog.pricing.exchange_rate_entry import RateRefused, fetch_exchange_rate
from notifications.models import Notice
from notifications.outbox import tell_admins
from orders.accounting.audit import AuditFindings, audit
from orders.accounting.audit.day_digests import write_day_digests
from storefront.monitoring.scheduled_jobs import note_end, note_figures
from upstream.client import Client

log = structlog.get_logger(__name__)
EPISODE, ALL, OVER = "audit:", ":all", ":over"


def audit_and_tell(*, client: Client | None, everything: bool = False, in_part: bool = False) -> AuditFindings:
    """Audit the books and tell the admins when they stop adding up, and when they add up again; each once.

    A balance upstream that cannot be read proves nothing either way: it begins no episode, and ends none. Nor does an
    audit `in_part`, which leaves it out, end one. What only an audit of `everything` finds (see `audit`), only such a
    one ends.
    """
    now = timezone.now()
    findings = audit(client=client, now=now, everything=everything)
    log.info("audit", problems=len(findings.problems), unread=findings.unread)
    notices = Notice.objects.filter(user=None, key__startswith=EPISODE)
    episode = f"{EPISODE}{notices.filter(key__endswith=OVER).count() + 1}"
    began = notices.filter(key__in=[episode, f"{episode}{ALL}"]).values_list("key", flat=True).first()
    may_end = not in_part and (everything or began is None or not began.endswith(ALL))
    if findings.wrong or not in_part:
        note_end("storefront.tasks.audit_books", succeeded=True)  # by whomever it was asked for
    if findings.wrong or may_end:
        note_figures("audit_books", problems=len(findings.wrong))
    digests = write_day_digests(now=now)
    last = TrailEntry.objects.first()
    if last is not None:
        # Beyond the reach of who owns the database: a chain that was written anew ends with another hash.
        log.info("trail", number=last.number, hash=last.hash, digests=digests)
    # Two audits at once write the same keys: the notice is written once.
    if findings.wrong and began is None:
        words = ngettext("The audit found %(count)d problem", "The audit found %(count)d problems", len(findings.wrong))
        body = "\n".join([*findings.wrong, "", _page()])
        tell_admins(f"{episode}{ALL}" if everything else episode, words % {"count": len(findings.wrong)}, body)
    elif began is not None and may_end and not findings.problems:
        body = f"{_('Nothing is wrong in the books any more.')}\n\n{_page()}"
        tell_admins(f"{episode}{OVER}", _("The books add up again"), body)
    return findings


def books_wrong_since() -> datetime | None:
    """Return since when the last audits say that the books do not add up; None while they do, or nobody has looked."""
    last = Notice.objects.filter(user=None, key__startswith=EPISODE).order_by("-pk").values_list("key", "created_at")
    for key, created_at in last[:1]:
        return None if key.endswith(OVER) else created_at
    return None


def fetch_rate_and_tell() -> None:
    """Fetch today's exchange rate; tell the admins, once a day, when there is none that may count."""
    now = timezone.now()
    try:
        row = fetch_exchange_rate(now=now)
    except RateRefused as refusal:
        log.warning("exchange_rate_refused", reason=str(refusal))
        page = settings.ADMIN_URL + reverse("admin:catalog_exchangerate_changelist")
        still = _("Until then, the previous exchange rate stays in use.")
        body = f"{refusal}\n{still}\n\n{page}"
        tell_admins(f"exchange-rate:{now:%Y-%m-%d}", _("The exchange rate needs your attention"), body, now)
    else:
        log.info("exchange_rate", rate_micros=None if row is None else row.rate_micros)


def _page() -> str:
    return settings.ADMIN_URL + reverse("admin:orders_books_changelist")
