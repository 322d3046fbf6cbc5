"""Where a webhook may point: http(s) addresses of the public internet, and nothing that reaches our own network.

A customer chooses the address, so it is checked twice: its text when it is saved, and every address its name has each
time something is sent. The connection then goes to the address that was checked (`posting`), not to the name.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

# Addresses that carry an IPv4 address in their last 32 bits.
# Not 64:ff9b:1::/48: where in those it stands is up to the network (RFC 6052, 2.2), so they are refused as reserved.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
# Where clouds tell a machine its own secrets, and what else lives on the link: no receiver ever, whatever the settings
# allow. Source: the documentation of AWS (IMDS, ECS, EKS), Google, Azure (168.63.129.16 looks public), Alibaba, Oracle.
_METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
        *("fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128"),
    )
)
_METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "metadata.azure.internal", "instance-data.ec2.internal")
DEFAULT_PORTS = {"http": 80, "https": 443}


class NotAllowed(Exception):
    """Nothing is sent there; the text says why, for the customer."""


class Target(NamedTuple):
    """An address taken apart; `host` has no brackets, `path` is ready for a request line."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """The Host header: with brackets and without the usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Take an address apart. Raises NotAllowed for one that no webhook may have, whatever its name means."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise NotAllowed("This is not an address.") from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise NotAllowed("The address should begin with https://.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_HTTP:
        raise NotAllowed("The address should begin with https://: messages may hold codes.")
    if parts.auth:
        raise NotAllowed("The address should hold no user name and no password.")
    # "example.com." is the same name; certificates and whoever counts by name only know it without the dot.
    host = parts.host.strip("[]").removesuffix(".")
    if not host:
        raise NotAllowed("This is not an address.")
    if host.lower() in _METADATA_NAMES:
        raise NotAllowed("The address is not on the public internet.")
    target = Target(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme], parts.request_uri or "/")
    if _is_address(target.host):
        check_addresses([target.host])
    return target


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, as the system knows them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_addresses(addresses: list[str]) -> None:
    """Raise NotAllowed unless every one of these is public, or in WEBHOOK_ALLOWED_PRIVATE_NETWORKS."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not _is_allowed(address):
            raise NotAllowed("The address is not on the public internet.")


def _is_allowed(address: Address) -> bool:
    if _is_metadata(address):
        return False
    if any(address in network for network in settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        within = _embedded(address)
        if within:
            return all(map(_is_public, within))
        if address.is_site_local:
            return False
    return _is_public(address)


def _is_metadata(address: Address) -> bool:
    within = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else []
    return any(one in network for one in (address, *within) for network in _METADATA)


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not special and not address.is_link_local and not address.is_private


def _embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses a packet for this address may end up at."""
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
