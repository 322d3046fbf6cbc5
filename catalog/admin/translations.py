"""Names in other languages on the pages of staff, who read them and never edit them."""

from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from catalog.models import SyncRun, TranslatedName


@display(description=gettext_lazy("names in other languages"))
def shown_translations(row: TranslatedName) -> SafeString | str:
    """Show a row's translated names, a language in each line."""
    names = sorted(row.translated_names.items())
    return format_html_join("", "<div>{}: {}</div>", names) if names else ""


@display(description=gettext_lazy("without a translation"))
def shown_missing(run: SyncRun) -> SafeString | str:
    """Show how many of what is on sale had no name in each language when a round had asked for it."""
    missing: dict[str, dict[str, int]] = run.translations.get("missing", {})
    lines = [
        (code, ", ".join(_counted(kind, count) for kind, count in counts.items())) for code, counts in missing.items()
    ]
    return format_html_join("", "<div>{}: {}</div>", lines) if lines else ""


@display(description=gettext_lazy("still to be asked for"))
def shown_left(run: SyncRun) -> str:
    """Show the languages that the next run goes on with."""
    left: list[str] = run.translations.get("left", [])
    page: Any = run.translations.get("notes", {}).get("page")
    if not left or page is None:
        return ", ".join(left)
    return _("%(languages)s, from page %(page)d on") % {"languages": ", ".join(left), "page": page}


def _counted(kind: str, count: int) -> str:
    words = {
        "services": ngettext("%(count)d service", "%(count)d services", count),
        "categories": ngettext("%(count)d category", "%(count)d categories", count),
        "subcategories": ngettext("%(count)d subcategory", "%(count)d subcategories", count),
        "sites": ngettext("%(count)d website or app", "%(count)d websites and apps", count),
        "countries": ngettext("%(count)d country", "%(count)d countries", count),
    }
    return words[kind] % {"count": count}
