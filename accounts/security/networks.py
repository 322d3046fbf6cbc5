"""The network an address belongs to: neighbours who may be one and the same."""

import ipaddress

from accounts.addresses import COUNTED_BITS, parsed_address


def network_of(address: str | None) -> str:
    """Return the /24 of an IPv4 address, the /64 of an IPv6 one; "" where there is no address."""
    parsed = parsed_address(address)
    if parsed is None:
        return ""
    length = 24 if parsed.version == 4 else COUNTED_BITS
    return str(ipaddress.ip_network((parsed, length), strict=False))
