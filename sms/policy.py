"""The shop's acceptable-use policy: websites and apps whose name contains a forbidden word are not sold."""

from django.db import transaction

from catalog.models import searched_names
from sms.models import ForbiddenWord, Site
from upstream.reading.text import comparable, line

UPDATED_AT_ONCE = 500


def save_word(word: ForbiddenWord) -> int:
    """Save a word, new or changed, and apply the list; return how many websites and apps that touched."""
    with transaction.atomic():
        word.word = line(word.word)
        word.save()
        return apply_words()


def delete_words(ids: list[int]) -> int:
    """Delete words and apply the list; return how many websites and apps that touched."""
    with transaction.atomic():
        ForbiddenWord.objects.filter(pk__in=ids).delete()
        return apply_words()


def apply_words() -> int:
    """Bring `Site.forbidden` to the list of words as it is now; return how many rows changed.

    What looks alike is alike, as `comparable` has it: nobody puts a name past the list by a letter that is not seen.
    """
    words = [found for word in ForbiddenWord.objects.values_list("word", flat=True) if (found := comparable(word))]
    wrong: dict[bool, list[int]] = {True: [], False: []}
    columns = ("pk", "name", "translated_names", "forbidden")
    for site_id, name, translated, forbidden in Site.objects.values_list(*columns):
        seen = [comparable(known) for known in (name, *searched_names(translated))]
        should = any(word in text for word in words for text in seen)
        if should != forbidden:
            wrong[should].append(site_id)
    for forbidden, ids in wrong.items():
        for start in range(0, len(ids), UPDATED_AT_ONCE):
            Site.objects.filter(pk__in=ids[start : start + UPDATED_AT_ONCE]).update(forbidden=forbidden)
    return sum(map(len, wrong.values()))
