"""Rows of websites and apps from their names: one for each, however many ways upstream has of writing it."""

from collections.abc import Iterable

from sms.merging import merge_alike, merge_into
from sms.models import Site
from upstream.reading.text import comparable

LONGEST_ALIASES = 190


def keep_sites(names: Iterable[str]) -> dict[str, int]:
    """Return the id of the website or app of each name, new ones added; what all are found by is kept right.

    Names that look alike mean one; the spelling that is shown is the first.
    """
    merge_sites()
    by_looks = {_looks(site.name): site for site in Site.objects.order_by("-pk")}
    known = list(by_looks.values())
    wanted = list(dict.fromkeys(names))
    new: dict[str, Site] = {}
    for name in wanted:
        if _looks(name) not in by_looks:
            new.setdefault(_looks(name), Site(name=name, search_text=Site(name=name).found_by()))
    Site.objects.bulk_create(new.values())
    stale = [site for site in known if site.search_text != site.found_by()]
    for site in stale:
        site.search_text = site.found_by()
    Site.objects.bulk_update(stale, ["search_text"], batch_size=200)
    ids = {_looks(name): pk for pk, name in Site.objects.values_list("pk", "name")}
    return {name: ids[_looks(name)] for name in wanted}


def merge_sites() -> int:
    """Make rows that look alike the oldest of them, with all that points at them; return how many went.

    What was hidden stays hidden; search aliases and translated names of all count.
    """
    return merge_alike(Site.objects.order_by("pk"), lambda site: _looks(site.name), _merge)


def _merge(into: Site, double: Site) -> None:
    words = dict.fromkeys(f"{into.aliases} {double.aliases}".split())
    aliases = ""
    for word in words:
        longer = f"{aliases} {word}".strip()
        aliases = longer if len(longer) <= LONGEST_ALIASES else aliases
    into.aliases = aliases
    into.translated_names = {**double.translated_names, **into.translated_names}
    into.search_text = into.found_by()
    into.save(update_fields=["aliases", "translated_names", "search_text"])
    merge_into(into, double, key=str(double.pk))


def _looks(name: str) -> str:
    return comparable(name) or name
