"""Addresses of the internet as the shop compares and counts them; everybody who does asks here."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAPPED_BITS = 96  # what stands before an IPv4 address that is written as IPv6
# Whoever has one IPv6 address has at least 2⁶⁴ of them: a provider gives every line a /64.
COUNTED_BITS = 64
NEIGHBORS_BITS = 24  # of an IPv4 address: those beside it are often one household's, or one provider's


def parsed_address(text: str | None) -> Address | None:
    """Return an address in its plain form, None for what is none.

    A server that listens on IPv6 sees IPv4 callers as ::ffff:192.0.2.1; they are who they are.
    """
    try:
        address = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def parsed_network(text: str) -> Network | None:
    """Return a network, or an address as one of its own, None for what is none; IPv4 written as IPv6 is IPv4."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= MAPPED_BITS:
            return ipaddress.ip_network((mapped, network.prefixlen - MAPPED_BITS), strict=False)
    return network


def counted_as(text: str | None) -> str:
    """Return the name under which a caller is counted: the IPv4 address, the /64 of IPv6; "" for no address at all."""
    address = parsed_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), COUNTED_BITS), strict=False).network_address)
    return "" if address is None else str(address)


def network_of(text: str | None) -> str:
    """Return the network that neighbors share who may be one and the same: /24 of IPv4, /64 of IPv6; "" for none."""
    address = parsed_address(text)
    if address is None:
        return ""
    length = NEIGHBORS_BITS if address.version == 4 else COUNTED_BITS
    return str(ipaddress.ip_network((address, length), strict=False))
