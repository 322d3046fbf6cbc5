"""The network an address belongs to: neighbours who may be one and the same."""

import ipaddress


def network_of(address: str | None) -> str:
    """Return the /24 of an IPv4 address, the /64 of an IPv6 one; "" where there is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    length = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network((parsed, length), strict=False))
