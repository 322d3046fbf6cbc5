"""Who has accepted the terms, which version of them, when, and from where."""

from datetime import datetime

from django.conf import settings

from accounts.batches import batches
from accounts.models import User
from support.documents.known import KNOWN, TERMS
from support.models import DocumentVersion, TermsAcceptance


def terms_now() -> DocumentVersion | None:
    """Return the version of the terms that holds now, None where the shop has none; a query."""
    if TERMS not in KNOWN.value.public:
        return None
    versions = DocumentVersion.objects.filter(document__slug=TERMS, document__public=True)
    return versions.select_related("document").order_by("-id").first()


def accept(user_id: int, version_id: int, *, door: str, address: str | None, now: datetime) -> None:
    """Write down that a customer accepts a version; of two at once the first counts."""
    row = TermsAcceptance(user_id=user_id, version_id=version_id, door=door, address=address, accepted_at=now)
    TermsAcceptance.objects.bulk_create([row], ignore_conflicts=True)


def has_to_accept(user: User) -> bool:
    """Whether the terms have changed so that this customer is asked before buying; no query unless they ever have."""
    asked_since = KNOWN.value.asks_again
    if asked_since is None:
        return False
    accepted = TermsAcceptance.objects.filter(user=user, version__document__slug=TERMS)
    return not accepted.filter(version__gte=asked_since).exists()


def forget_acceptance_addresses(*, now: datetime) -> int:
    """Empty from where terms were accepted, once that is as old as an address on the trail may become."""
    old = TermsAcceptance.objects.filter(accepted_at__lt=now - settings.RETENTION.trail_origins, address__isnull=False)
    return sum(
        TermsAcceptance.objects.filter(pk__in=ids).update(address=None) for ids in batches(old.order_by("accepted_at"))
    )
