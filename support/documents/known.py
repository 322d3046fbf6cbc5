"""What every page of the shop knows of the documents without asking the database: the footer, and the terms.

It is kept as a preference that stands on no page, so every process has it within a second or two, and whatever is
cached is made anew when it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from preferences.change import change_preferences
from preferences.face import CONTACT
from preferences.kinds import Kind
from preferences.models import PreferenceChange
from preferences.registry import Preference, declare
from support.documents import languages, shipped
from support.models import Document, DocumentVersion

TERMS, FAQ = "terms", "faq"


@dataclass(frozen=True)
class FooterLink:
    """A document that every page leads to; `titles` by language."""

    slug: str
    titles: Mapping[str, str]

    @property
    def title(self) -> str:
        """What it is called in the reader's language, else in the shop's own."""
        return languages.chosen(self.titles)[1]


@dataclass(frozen=True)
class Known:
    """`asks_again`: the version of the terms that customers have to have accepted, or one after it; None: none.

    `newest` is the newest version of any document: with it, every new version is another value.
    """

    footer: tuple[FooterLink, ...] = ()
    asks_again: int | None = None
    newest: int = 0
    public: tuple[str, ...] = field(default=())


class _KnownKind(Kind[Known]):
    def read(self, stored: Any) -> Known:
        try:
            footer = tuple(FooterLink(str(slug), {**titles}) for slug, titles in stored["footer"])
            return Known(footer, stored["asks_again"], int(stored["newest"]), tuple(stored["public"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValidationError(_("This can't be read.")) from error

    def write(self, value: Known) -> Any:
        return {
            "footer": [[link.slug, {**link.titles}] for link in value.footer],
            "asks_again": value.asks_again,
            "newest": value.newest,
            "public": [*value.public],
        }


def _at_first() -> Known:
    """What a shop begins with: nothing has been written anew, so nobody is asked again."""
    links = [FooterLink(each.slug, each.titles) for each in shipped.documents()]
    return Known(tuple(links), public=tuple(link.slug for link in links))


KNOWN: Preference[Known] = declare(
    Preference("documents", _KnownKind(), _("Documents"), CONTACT, default=_at_first, shown=False)
)


def tell(*, actor_id: int | None = None, actor: str = "", now: datetime) -> None:
    """Let every page know what the documents are now; in the transaction that changes them, once they are locked."""
    change_preferences({KNOWN: _look()}, actor_id=actor_id, actor=actor, now=now)


def has_been_told() -> bool:
    """Whether the documents are not what the shop began with any more; a query."""
    return PreferenceChange.objects.filter(name=KNOWN.name).exists()


def _look() -> Known:
    documents = list(Document.objects.filter(public=True))
    newest: dict[int, DocumentVersion] = {}
    for version in DocumentVersion.objects.filter(document__in=documents).order_by("id").defer("texts"):
        newest[version.document_id] = version
    shown = [document for document in documents if document.pk in newest]
    footer = [FooterLink(each.slug, newest[each.pk].titles) for each in shown if each.in_footer]
    asking = DocumentVersion.objects.filter(document__slug=TERMS, document__public=True, asks_again=True)
    last = DocumentVersion.objects.order_by("-id").values_list("pk", flat=True).first()
    return Known(
        tuple(footer),
        asking.order_by("-id").values_list("pk", flat=True).first(),
        last or 0,
        tuple(each.slug for each in shown),
    )
