"""What kind of thing a category sells, read from its name: its group, its icon, and how well known it is.

Staff says otherwise with `Category.group`. The icons are drawings of our own (static/icons/sprite.svg): nobody's logo.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from catalog.models import CategoryGroup
from upstream.reading.text import comparable

UNKNOWN = 1000  # the place of what nobody knows
# Words of a name, and the group they tell; the first that fits counts: "Instagram Accounts" are accounts.
_GROUPS = (
    (CategoryGroup.ACCOUNTS, "accounts account logins tokens аккаунты аккаунт"),
    (CategoryGroup.NUMBERS, "sms numbers number otp номера номер смс"),
    (
        CategoryGroup.KEYS,
        "keys key software license licenses licence subscription subscriptions vpn proxy proxies tools tool windows "
        "office antivirus vouchers voucher cards gift streaming hosting ключи ключ подписки подписка софт прокси впн",
    ),
    (CategoryGroup.SITES, "website websites web traffic seo maps trustpilot reviews app apps play сайты сайт трафик"),
)
# The best known first. What a category is called, and the drawing that stands for what people do there.
_PLATFORMS = (
    ("instagram ig инстаграм", "camera"),
    ("youtube yt ютуб", "play"),
    ("tiktok тикток", "note"),
    ("telegram tg телеграм", "plane"),
    ("facebook fb фейсбук", "people"),
    ("x twitter твиттер", "hash"),
    ("whatsapp ватсап viber signal", "chat"),
    ("vk vkontakte вк вконтакте odnoklassniki ok", "people"),
    ("spotify deezer tidal audiomack mixcloud shazam soundcloud apple music музыка", "sound"),
    ("discord teamspeak", "headset"),
    ("twitch kick trovo rumble live", "broadcast"),
    ("threads bluesky mastodon", "chat"),
    ("snapchat likee", "bolt"),
    ("linkedin", "briefcase"),
    ("pinterest maps карты", "pin"),
    ("reddit quora tumblr medium dzen дзен", "pen"),
    ("vimeo dailymotion rutube bilibili", "play"),
    ("steam game games игры xbox playstation roblox", "gamepad"),
    ("email gmail outlook mail почта", "mail"),
    ("website websites traffic seo web сайты трафик", "globe"),
    ("trustpilot reviews отзывы", "star"),
    ("app apps play", "phone"),
    ("vpn proxy proxies впн прокси", "shield"),
    ("streaming netflix tv кино", "screen"),
    ("ai design нейросети", "spark"),
)
_OF_GROUP = {
    CategoryGroup.SOCIAL: "heart",
    CategoryGroup.ACCOUNTS: "user",
    CategoryGroup.KEYS: "key",
    CategoryGroup.NUMBERS: "phone",
    CategoryGroup.SITES: "globe",
    CategoryGroup.OTHER: "box",
}
ICONS = frozenset({icon for _names, icon in _PLATFORMS} | set(_OF_GROUP.values()))
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class CategoryKind:
    """The group of a category, the icon beside it, and its place among what is known, the best known first."""

    group: CategoryGroup = CategoryGroup.OTHER
    icon: str = "box"
    rank: int = UNKNOWN


NO_KIND = CategoryKind()


class Kinded(Protocol):
    """A category that knows its kind."""

    @property
    def kind(self) -> CategoryKind: ...


Each = TypeVar("Each", bound=Kinded)


def by_group(categories: Iterable[Each]) -> list[tuple[CategoryGroup, list[Each]]]:
    """Return the categories under their headings, in the order of these; empty ones are left out."""
    found: dict[CategoryGroup, list[Each]] = {}
    for category in categories:
        found.setdefault(category.kind.group, []).append(category)
    return [(group, found[group]) for group in CategoryGroup if group in found]


@lru_cache(maxsize=5000)
def kind_of(name: str, override: str = "") -> CategoryKind:
    """Return the kind of a category of this name; `override` is the group that staff has chosen, or ""."""
    words = set(_WORD.findall(comparable(name)))
    place, icon = next(
        ((place, icon) for place, (names, icon) in enumerate(_PLATFORMS) if words & set(names.split())),
        (UNKNOWN, ""),
    )
    read = next((group for group, names in _GROUPS if words & set(names.split())), None)
    if read is None:
        read = CategoryGroup.SOCIAL if icon else CategoryGroup.OTHER
    group = CategoryGroup(override) if override in CategoryGroup.values else read
    return CategoryKind(group, icon or _OF_GROUP[group], place)
