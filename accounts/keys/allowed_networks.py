"""The addresses a key may be used from: IPv4 and IPv6, single ones and networks, one a line."""

import ipaddress
from functools import lru_cache

from accounts.addresses import parsed_address
from upstream.reading.text import lines

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_NETWORKS = 50


class NotANetwork(ValueError):
    """A line is no address and no network; `line` is what was written."""

    def __init__(self, line: str) -> None:
        self.line = line
        super().__init__(line)


class TooManyNetworks(ValueError):
    """More lines than anybody needs; every call would have to look through them."""


def clean_networks(text: str) -> str:
    """Return the same addresses and networks, one a line and in their usual spelling; commas separate as well.

    Raises NotANetwork, as for `10.0.0.1/8`, whose last bits say something else than its length; TooManyNetworks.
    """
    networks = lines(text.replace(",", "\n"))
    if len(networks) > MAX_NETWORKS:
        raise TooManyNetworks(f"{MAX_NETWORKS} at most")
    found: dict[str, None] = {}
    for written in networks:
        try:
            network = ipaddress.ip_network(written)
        except ValueError:
            raise NotANetwork(written) from None
        alone = network.prefixlen == network.max_prefixlen
        found[str(network.network_address if alone else network)] = None
    return "\n".join(found)


def is_allowed(address: str | None, networks: str) -> bool:
    """Whether calls may come from `address`; without any network they may come from anywhere."""
    if not networks:
        return True
    asked = parsed_address(address)
    return asked is not None and any(asked in network for network in _parsed(networks))


@lru_cache(maxsize=1024)
def _parsed(networks: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(line) for line in networks.splitlines())
