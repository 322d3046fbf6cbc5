"""A sample of what owners of API keys are told of new terms."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications.kinds import TERMS
from notifications.samples import Sample
from support.documents.known import TERMS as SLUG
from support.documents.tell_resellers import words_of_terms
from support.models import Document, DocumentVersion


def _changed(reader: User) -> tuple[str, str]:
    return words_of_terms(DocumentVersion(document=Document(slug=SLUG)))


SAMPLES = [Sample("terms-changed", TERMS, _("Our terms have changed"), _changed)]
