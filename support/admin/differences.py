"""What one version of a document says that another doesn't, line by line."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from support.models import DocumentVersion

CONTEXT = 3
KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True)
class Line:
    """`kind`: added, removed, place (where in the text), or "" for one that is the same."""

    kind: str
    text: str


@dataclass(frozen=True)
class Difference:
    """The lines of one language."""

    language: str
    lines: list[Line]


def differences(before: DocumentVersion | None, after: DocumentVersion) -> list[Difference]:
    """Return what is different, by language; nothing of languages that say the same."""
    names = dict(settings.LANGUAGES)
    codes = dict.fromkeys([*names, *after.texts, *(before.texts if before else ())])
    found = [Difference(names.get(code, code), list(_lines(before, after, code))) for code in codes]
    return [each for each in found if each.lines]


def _lines(before: DocumentVersion | None, after: DocumentVersion, code: str) -> Iterator[Line]:
    old, new = ([], _text(after, code)) if before is None else (_text(before, code), _text(after, code))
    unified = difflib.unified_diff(old, new, n=CONTEXT, lineterm="")
    for number, line in enumerate(unified):
        if number >= 2:  # the first two name files
            yield Line(KINDS.get(line[:1], ""), line if line.startswith("@") else line[1:])


def _text(version: DocumentVersion, code: str) -> list[str]:
    title = version.titles.get(code)
    return [*([f"# {title}"] if title else []), *version.texts.get(code, "").split("\n")]
