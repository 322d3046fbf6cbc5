"""How static files are stored in production: hashed, compressed, and the stylesheet in one piece."""

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLE = "css/site.css"
_IMPORT = re.compile(r'@import url\("([^"]+)"\) layer\(([a-z]+)\);')
_SCRIPT_IMPORT = (r'(?P<matched>from "(?P<url>\./[^"]+\.js)")', 'from "%(url)s"')

Paths = dict[str, tuple[Storage, str]]


class ImportNotFound(ValueError):
    """The stylesheet imports a file that was not collected."""


def bundle(source: str, paths: Paths, folder: str) -> str:
    """Return the stylesheet with every `@import url("…") layer(…);` replaced by that file's rules in that layer.

    `paths` are the collected files, `folder` is where the stylesheet lies. Raises ImportNotFound.
    """

    def inlined(match: re.Match[str]) -> str:
        name = normpath(join(folder, match[1]))
        if name not in paths:
            raise ImportNotFound(f"{BUNDLE} imports {name}, which is not there")
        return f"@layer {match[2]} {{\n{_read(paths[name])}}}"

    return _IMPORT.sub(inlined, source)


def _read(place: tuple[Storage, str]) -> str:
    storage, path = place
    with storage.open(path) as file:
        return file.read().decode()


def imported_by_browsers() -> list[str]:
    """Return the names of the files that the stylesheet as it is served imports: none where it is in one piece."""
    source = finders.find(BUNDLE)
    if source is None or isinstance(staticfiles_storage, BundledStaticFilesStorage):
        return []
    return [normpath(join(dirname(BUNDLE), name)) for name, _layer in _IMPORT.findall(Path(source).read_text())]


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Serve one stylesheet instead of one for each component, which would cost a phone a round trip for every six."""

    # A script of ours imports another one by its hashed name, so never an old one. Those of others import as they like.
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", (_SCRIPT_IMPORT,)))

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Bundle the stylesheet, then hash and compress everything as usual."""
        if BUNDLE in paths and not dry_run:
            whole = bundle(_read(paths[BUNDLE]), paths, dirname(BUNDLE))
            self.delete(BUNDLE)
            self._save(BUNDLE, ContentFile(whole.encode()))
            paths = {**paths, BUNDLE: (self, BUNDLE)}
        yield from super().post_process(paths, dry_run, **options)
