"""Finding services by words, and what was probably meant by words that find nothing."""

from django.db import connection

from catalog.forms import whole_number
from catalog.models import ServiceQuerySet

SHORTEST_WORD, LONGEST_WORD = 3, 40
MOST_WORDS = 10

# White space and ASCII punctuation part words. Not "what is no letter": in the C locale only ASCII has letters.
_LEARN = r"""
    WITH used AS (
        SELECT DISTINCT word
        FROM (
            SELECT unnest(regexp_split_to_array(search_text, '[\s!-/:-@\[-`{-~]+')) AS word
            FROM catalog_service WHERE withdrawn_at IS NULL AND visible
        ) AS words
        WHERE length(word) BETWEEN %s AND %s
    ), forgotten AS (
        DELETE FROM catalog_searchword WHERE word NOT IN (SELECT word FROM used)
    )
    INSERT INTO catalog_searchword (word) SELECT word FROM used ON CONFLICT DO NOTHING
"""
# A part of a word finds that word already. Else the word most of whose trigrams are the same (pg_trgm's default: 0.3).
_MEANT = """
    SELECT typed, CASE
        WHEN EXISTS (SELECT 1 FROM catalog_searchword WHERE strpos(word, typed) > 0) THEN typed
        ELSE (
            SELECT word FROM catalog_searchword WHERE word %% typed
            ORDER BY similarity(word, typed) DESC, abs(length(word) - length(typed)), word LIMIT 1
        )
    END
    FROM unnest(%s::text[]) AS typed
"""


def find(services: ServiceQuerySet, words: str) -> ServiceQuerySet:
    """Return those services that match all the words, or whose number was typed; "#12" is the number alone."""
    if not words:
        return services
    number = whole_number(words.removeprefix("#"))
    if number is not None and words.startswith("#"):
        return services.filter(pk=number)
    matching = services.matching(words)
    return matching if number is None else matching | services.filter(pk=number)


def closest_words(words: str) -> str:
    """Return the words that services are described with in place of the mistyped ones, or "" when there are none.

    One query on PostgreSQL; elsewhere nothing is close to anything.
    """
    typed = words.lower().split()[:MOST_WORDS]
    if connection.vendor != "postgresql" or not any(SHORTEST_WORD <= len(word) <= LONGEST_WORD for word in typed):
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_MEANT, [typed])
        meant = dict(cursor.fetchall())
    corrected = [meant.get(word) or word for word in typed]
    return "" if corrected == typed else " ".join(corrected)


def learn_words() -> None:
    """Learn which words the services on sale are described with, and forget the others; one statement, a second long.

    PostgreSQL only. What is mistyped before a new word was learned is not corrected to it yet.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_LEARN, [SHORTEST_WORD, LONGEST_WORD])
