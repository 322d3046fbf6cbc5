"""A whole answer in a few megabytes, so that exactly what an admin looked at can be applied later."""

import zlib
from typing import NamedTuple

import msgspec

from catalog.sync.fetch import CatalogAnswer, Placement, UpstreamOffer
from catalog.sync.spellings import Pair


class Unpackable(Exception):
    """These bytes are of another version of this program."""


class _Packed(NamedTuple):
    total: int
    offers: list[UpstreamOffer]
    subcategories: dict[str, list[str]]
    set_aside: list[dict[str, str]]
    product_categories: list[str]
    asked: list[str]
    pair_of: dict[int, Pair]


def pack(answer: CatalogAnswer, placement: Placement) -> bytes:
    """Return the answer packed; the same content gives the same bytes, in whatever order it came."""
    content = _Packed(
        answer.total,
        sorted(answer.offers.values()),
        answer.subcategories,
        answer.set_aside,
        sorted(answer.product_categories),
        sorted(placement.asked),
        dict(sorted(placement.pair_of.items())),
    )
    return zlib.compress(msgspec.msgpack.encode(content), level=6)


def unpack(packed: bytes) -> tuple[CatalogAnswer, Placement]:
    """Return what was packed. Raises Unpackable."""
    try:
        content = msgspec.msgpack.decode(zlib.decompress(packed), type=_Packed)
    except (zlib.error, msgspec.DecodeError) as error:
        raise Unpackable(str(error)) from error
    offers = {offer.upstream_id: offer for offer in content.offers}
    answer = CatalogAnswer(
        content.total, offers, content.subcategories, content.set_aside, set(content.product_categories)
    )
    return answer, Placement(set(content.asked), content.pair_of)
