"""The word index as processes share it: a worker makes it anew after each change of the catalog, pages take it.

A search never waits for it: until there is one of the catalog's version, the database is asked, which says the same.
Only of what is in stock an index may be a while behind: it stays in use until the worker has read that anew.
"""

from catalog.caching.version import Version, recent_version
from catalog.caching.versioned_cache import cache_key, process_look_up, process_store
from catalog.word_index.index import WordIndex, read_word_index

KEPT_SECONDS = 86_400  # it is made anew when it is lost


def word_index(version: Version) -> WordIndex | None:
    """Return the index of this version of the catalog, or None where this process has none yet; no query."""
    found: WordIndex | None = process_look_up(_key(), version.without_stock, waits=False)
    return found


def keep_word_index() -> bool:
    """Make the index of the catalog as it is now and store it for all processes; False if there is one already."""
    version = recent_version()  # before what is read: it may be newer than its version, never older
    kept = word_index(version)
    if kept is not None and kept.version == version:
        return False
    process_store(_key(), version.without_stock, read_word_index(version), seconds=KEPT_SECONDS)
    return True


def _key() -> str:
    return cache_key("word_index")
