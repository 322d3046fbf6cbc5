"""How the values of the deny lists are written, so that every spelling of one is the same.

- A domain in small letters and punycode; it stands for the domains below it, too.
- A network as CIDR; IPv4 written as IPv6 is IPv4.
- A link without scheme, "www." and what stands behind "#"; it stands for what lies below it, too, and for any query
  and parameters (";x") unless it has some of its own. Percent codes are read until nothing is coded any more, dot
  segments are resolved, "\\" is "/".
- A payer: an e-mail address, or what a gateway calls a card or a wallet, letter by letter.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.utils.translation import gettext as _

from accounts.addresses import Address, Network, parsed_network
from accounts.models import DenyRule
from upstream.reading.links import link as read_as_link
from upstream.reading.text import line

Kind = DenyRule.Kind
# Shorter ones would shut out whole continents by a slip of the finger.
SHORTEST = {4: 8, 6: 19}
LONGEST_DOMAIN = 253
LEVELS = 4  # so often a path is decoded by anybody, and read in between
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)  # browsers don't count the slashes behind it
_BEHIND_PATH = re.compile(r"[?#]")
# Names of one and the same site: its pages for telephones.
_SAME_SITE = ("www.", "m.", "mobile.")


@dataclass(frozen=True)
class Link:
    """What of a link is compared: the host, the path in small letters, the parts of the query, and parameters."""

    host: str
    path: str
    query: frozenset[tuple[str, str]]
    params: frozenset[str] = frozenset()

    def is_below(self, denied: "Link") -> bool:
        """Whether a rule for `denied` means this one."""
        host = self.host == denied.host or self.host.endswith(f".{denied.host}")
        path = not denied.path or self.path == denied.path or self.path.startswith(f"{denied.path}/")
        return host and path and denied.query <= self.query and denied.params <= self.params


def written(kind: str, typed: str) -> str:
    """Return a value as it is kept. Raises ValueError, with words for staff, for what is none of its kind."""
    match kind:
        case Kind.DOMAIN:
            domain = domain_in(typed.strip().removeprefix("*.").rpartition("@")[2])
            if "." not in domain:
                raise ValueError(_("Enter a domain, like example.com."))
            return domain
        case Kind.NETWORK:
            return str(_network(typed))
        case Kind.LINK:
            return _link(typed)
        case _:
            payer = payer_in(typed)
            if not payer:
                raise ValueError(_("Enter an email address, or what the gateway calls the card or wallet."))
            return payer


def domain_in(typed: str) -> str:
    """Return a domain in small letters and punycode, "" for what is none."""
    small = line(typed).strip().strip(".").lower()
    try:
        domain = small.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    is_one = 0 < len(domain) <= LONGEST_DOMAIN and all(_LABEL.fullmatch(label) for label in domain.split("."))
    return domain if is_one else ""


def domains_of(email: str) -> list[str]:
    """Return the domain of an address and those above it, the nearest first."""
    labels = domain_in(email.rpartition("@")[2]).split(".")
    return [".".join(labels[place:]) for place in range(len(labels) - 1)]


def payer_in(typed: str) -> str:
    """Return a payer as it is compared: of an address in small letters, anything else as it stands."""
    text = line(typed).strip()
    name, at, domain = text.rpartition("@")
    return f"{name.lower()}@{domain_in(domain) or domain.lower()}" if at else text


def link_in(typed: str) -> Link | None:
    """Return a link in its one spelling, None for what is no link."""
    return next(iter(readings_of(typed)[-1:]), None)


def readings_of(typed: str) -> list[Link]:
    """Return what a link may mean to the servers and browsers that normalise it; the last is its one spelling.

    Some decode once and others twice, some resolve dots before parameters are dropped, some end at a NUL: a link meets
    an entry if one of its readings does. Nothing for what is no link.
    """
    text = read_as_link(typed)
    behind = _BEHIND_PATH.search(text)
    place = behind.start() if behind else len(text)
    address, rest = text[:place].replace("\\", "/"), text[place:]
    if _WEB.match(address) or not _SCHEME.match(address):
        address = f"https://{_WEB.sub('', address, count=1).lstrip('/')}"
    try:
        parts = urlsplit(address + rest)
        host = domain_in(unquote(parts.hostname or ""))
    except ValueError:
        return []
    for name in _SAME_SITE:
        if host.startswith(name) and "." in host.removeprefix(name):
            host = host.removeprefix(name)
            break
    if "." not in host:
        return []
    query = parse_qsl(parts.query, keep_blank_values=True)
    last = frozenset((_decoded(name), _decoded(value)) for name, value in query)
    every = last | frozenset(query)
    *others, (path, params) = _paths(parts.path)
    return [*(Link(host, one, every, more) for one, more in others), Link(host, path, last, params)]


def _paths(coded: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a path may mean, each with its parameters; the last is read until nothing is coded any more."""
    levels = [unquote(coded)]
    while (decoded := unquote(levels[-1])) != levels[-1]:
        levels.append(decoded)
    for level in dict.fromkeys((*levels[:LEVELS], levels[-1])):
        for read in dict.fromkeys((level.partition("\0")[0], level.replace("\0", ""))):
            segments = re.split(r"[/\\]+", read.casefold())
            params = frozenset(param for one in segments for param in one.split(";")[1:] if param)
            if ";" in read:
                yield "/".join(_without_params(_without_dots(segments))), params
            yield "/".join(_without_dots(_without_params(segments))), params


def _without_params(segments: Iterable[str]) -> list[str]:
    return [name for one in segments if (name := one.partition(";")[0])]


def _without_dots(segments: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for one in segments:
        if one == "..":
            del kept[-1:]
        elif one not in ("", "."):
            kept.append(one)
    return kept


def _decoded(coded: str) -> str:
    """Return a text without percent codes, however often it was coded."""
    text = unquote(coded)
    while text != coded:
        coded, text = text, unquote(text)
    return text.replace("\0", "")


def holds(network: Network, address: Address) -> bool:
    """Whether an address is in a network; of two kinds it never is."""
    return network.version == address.version and address in network


def _network(typed: str) -> Network:
    network = parsed_network(typed)
    if network is None:
        raise ValueError(_("Enter a network, like 203.0.113.0/24, or an address."))
    if network.prefixlen < SHORTEST[network.version]:
        raise ValueError(_("This network is too large: it would shut out half the world."))
    return network


def _link(typed: str) -> str:
    link = link_in(typed)
    if link is None:
        raise ValueError(_("Enter a link, like instagram.com/name."))
    path = f"/{_coded(link.path, '?#;')}" if link.path else ""
    path += "".join(f";{_coded(param, '?#/')}" for param in sorted(link.params))
    query = "&".join(f"{_coded(name, '&=#+')}={_coded(value, '&#+')}" for name, value in sorted(link.query))
    return f"{link.host}{path}?{query}" if query else f"{link.host}{path}"


def _coded(text: str, meaning: str) -> str:
    """Return a text with those of its characters coded that would mean something where it is written."""
    return "".join(quote(one, safe="") if one in meaning or not one.isprintable() else one for one in text)
