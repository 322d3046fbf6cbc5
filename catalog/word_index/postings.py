"""Sets of places in a list, small enough for every word of a large catalog to have one.

A posting is a number with a bit for each place where many places are in it, and the places themselves where few are.
What several have in common is worked out as such numbers: of a hundred thousand places in a few microseconds.
"""

from array import array
from collections.abc import Iterable

Posting = int | array
BITS_OF_A_PLACE = 32
_BITS_OF_A_BYTE = [[bit for bit in range(8) if byte >> bit & 1] for byte in range(256)]


def posting_of(places: "array[int]", size: int) -> Posting:
    """Return the shorter of both forms for places below `size`."""
    return bits_of(places, size) if len(places) * BITS_OF_A_PLACE > size else places


def bits_of(places: Iterable[int], size: int) -> int:
    """Return the number that has these bits, all below `size`."""
    marks = bytearray(size // 8 + 1)
    for place in places:
        marks[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(marks, "little")


def union(postings: Iterable[Posting], size: int) -> int:
    """Return all places of these postings as bits."""
    bits, few = 0, array("I")
    for posting in postings:
        if isinstance(posting, int):
            bits |= posting
        else:
            few.extend(posting)
    return bits | bits_of(few, size) if few else bits


def places_of(bits: int) -> list[int]:
    """Return the places of the bits that are set, in their order."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return [start * 8 + bit for start, byte in enumerate(data) if byte for bit in _BITS_OF_A_BYTE[byte]]
