"""The words that services on sale are described with, kept in a table: what mistyped words are compared with."""

from collections import Counter

from django.db import connection, transaction
from django.db.models.functions import Length

from catalog.models import SearchWord, Service
from catalog.words.corrections import LONGEST_WORD, corrections, longest_meant
from catalog.words.synonyms import forget_synonyms, synonyms

SHORTEST_WORD = 2
_LEARN = """
    WITH used AS (
        SELECT word, count(*) AS services
        FROM (
            SELECT unnest(string_to_array(search_text, ' ')) AS word
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
READ_AT_ONCE = 2000


def learn_words() -> None:
    """Learn which words the services on sale are described with, and forget the others; up to a second.

    What is mistyped before a new word was learned is not corrected to it yet.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_LEARN, [SHORTEST_WORD, LONGEST_WORD])
    else:
        _learn_here()
    forget_synonyms()


def closest_words(words: str) -> list[str]:
    """Return what was probably meant by words that find nothing, the likeliest first; one query, or none."""
    longest = longest_meant(words)
    if not longest:
        return []
    known = SearchWord.objects.annotate(length=Length("word")).filter(length__lte=longest)
    return corrections(words, dict(known.values_list("word", "services")), synonyms())


def _learn_here() -> None:
    """Count the words in Python, and write those alone that are new, gone or counted anew."""
    used: Counter[str] = Counter()
    texts = Service.objects.on_sale_in_any_category().order_by().values_list("search_text", flat=True)
    for text in texts.iterator(chunk_size=READ_AT_ONCE):
        used.update(word for word in text.split() if SHORTEST_WORD <= len(word) <= LONGEST_WORD)
    with transaction.atomic():
        known = dict(SearchWord.objects.values_list("word", "services"))
        changed = [SearchWord(word=word, services=count) for word, count in used.items() if known.get(word) != count]
        SearchWord.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["word"], update_fields=["services"], batch_size=400
        )
        gone = [word for word in known if word not in used]
        for first in range(0, len(gone), 400):
            SearchWord.objects.filter(word__in=gone[first : first + 400]).delete()
