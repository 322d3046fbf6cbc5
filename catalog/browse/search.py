"""Finding services by words, and what was probably meant by words that find nothing."""

from difflib import SequenceMatcher

from django.db import connection

from catalog.browse.forms import whole_number
from catalog.models import ServiceQuerySet
from upstream.reading.text import comparable

SHORTEST_WORD, LONGEST_WORD = 3, 40
MAX_WORDS = 10

# White space and ASCII punctuation part words. Not "what is no letter": in the C locale only ASCII has letters.
_LEARN = r"""
    WITH used AS (
        SELECT word, count(*) AS services
        FROM (
            SELECT unnest(regexp_split_to_array(search_text, '[\s!-/:-@\[-`{-~]+')) AS word
            FROM catalog_service WHERE withdrawn_at IS NULL AND visible
        ) AS words
        WHERE length(word) BETWEEN %s AND %s
        GROUP BY word
    ), forgotten AS (
        DELETE FROM catalog_searchword WHERE word NOT IN (SELECT word FROM used)
    )
    INSERT INTO catalog_searchword AS known (word, services) SELECT word, services FROM used
    ON CONFLICT (word) DO UPDATE SET services = EXCLUDED.services WHERE known.services <> EXCLUDED.services
"""
# A part of a word finds that word already. Else the words that share most trigrams; a fifth is what a word of four
# letters keeps when one of them is wrong.
_LIKE = """
    SELECT typed, word FROM unnest(%s::text[]) AS typed, LATERAL (
        SELECT word, services, similarity(word, typed) AS likeness FROM catalog_searchword
        WHERE similarity(word, typed) > 0.2 ORDER BY likeness DESC, services DESC, word LIMIT 5
    ) AS near
    WHERE NOT EXISTS (SELECT 1 FROM catalog_searchword WHERE strpos(word, typed) > 0)
    ORDER BY typed, services DESC, word
"""


def find(services: ServiceQuerySet, words: str) -> ServiceQuerySet:
    """Return those services that match all the words, or whose number was typed; "#12" is the number alone."""
    if not words:
        return services
    plain = comparable(words)
    number = whole_number(plain.removeprefix("#"))
    if number is not None and plain.startswith("#"):
        return services.filter(pk=number)
    matching = services.matching(words)
    return matching if number is None else matching | services.filter(pk=number)


def closest_words(words: str) -> str:
    """Return the words that services are described with in place of the mistyped ones, or "" when there are none.

    One query on PostgreSQL; elsewhere nothing is close to anything.
    """
    typed = comparable(words).split()[:MAX_WORDS]
    if connection.vendor != "postgresql" or not any(SHORTEST_WORD <= len(word) <= LONGEST_WORD for word in typed):
        return ""
    near: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LIKE, [typed])
        for word, meant in cursor.fetchall():
            near.setdefault(word, []).append(meant)
    corrected = [_closest(word, near.get(word, [])) for word in typed]
    return "" if corrected == typed else " ".join(corrected)


def _closest(typed: str, words: list[str]) -> str:
    """Return the word that is most like the typed one in its letters' order; of several the most used, the first."""
    return max(words, key=lambda word: SequenceMatcher(None, typed, word).ratio(), default=typed)


def learn_words() -> None:
    """Learn which words the services on sale are described with, and forget the others; one statement, a second long.

    PostgreSQL only. What is mistyped before a new word was learned is not corrected to it yet.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_LEARN, [SHORTEST_WORD, LONGEST_WORD])
