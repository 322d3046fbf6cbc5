"""Manners of suppliers, by name. Several can be had together; without any the sandbox answers as the document says."""

from collections.abc import Iterable

PLAIN, LIVE, HOSTILE, SHARED_IDS, CENTS = "plain", "live", "hostile", "shared-ids", "cents"

# name → what it changes, as the command's help says it
PROFILES = {
    PLAIN: "as the document says; the usual one",
    LIVE: "as users of the live server report: phone numbers without country code, dial codes as country codes, country"
    " titles in lower case, descriptions on every service, accounts parted by ----, | or :, one website at several"
    " prices in one country, names in the language that `lang` asks for, a limit on reads",
    HOSTILE: "damaged answers: null, nothing, 10,000 letters, characters nobody sees, wrong types, rows twice, a byte"
    " order mark, times of every odd form; by the seed, and what was really bought stays true",
    SHARED_IDS: "`status` answers for numbers as well, since all orders share their ids",
    CENTS: "charges and balances are shown in whole cents",
}


def checked_profiles(names: Iterable[str]) -> tuple[str, ...]:
    """Return the profiles, each once. Raises ValueError for an unknown name."""
    chosen = tuple(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in PROFILES]:
        raise ValueError(f"no such profile: {', '.join(unknown)}; there are {', '.join(PROFILES)}")
    return tuple(name for name in chosen if name != PLAIN)
