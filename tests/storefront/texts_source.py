"""Every text that the sources mark for translation, found without GNU gettext, which a machine may lack."""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

# Where `make messages` looks: everything beside these.
LEFT_OUT = {"tests", "bench", "var", "staticfiles", "docs"}
# Django's calls, each with the places of its arguments; (1, "c") is the context.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}

Text = tuple[str, str, str]  # context, singular, plural; empty where there is none


def sources() -> list[Path]:
    """Return the Python files and the templates whose texts people read."""
    folders = [
        path
        for path in settings.BASE_DIR.iterdir()
        if path.is_dir() and path.name[0] not in "._" and path.name not in LEFT_OUT
    ]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".html", ".txt"}]
    return sorted(path for path in found if "__pycache__" not in path.parts)


@cache
def marked_texts() -> dict[Text, str]:
    """Return every marked text with a file it stands in."""
    return {text: str(path.relative_to(settings.BASE_DIR)) for path in sources() for text in _texts_of(path)}


def _texts_of(path: Path) -> Iterator[Text]:
    code = path.read_text()
    if path.suffix != ".py":
        # Django turns a template into pseudo-Python; its indentation means nothing and would not parse.
        code = "\n".join(line.strip() for line in templatize(code, origin=str(path)).splitlines())
    for _line, message, _comments, context in extract("python", BytesIO(code.encode()), keywords=CALLS):
        singular, plural = message if isinstance(message, tuple | list) else (message, "")
        yield context or "", singular, plural
