"""What must never be served to strangers: settings of a developer's machine beside real customers, money or suppliers.

Each of these refuses to start, in words for whoever runs the shop; `manage.py doctor` and `manage.py check --deploy`
tell of what is only unwise (storefront/monitoring/deployment.py).
"""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from storefront.configuration.environment import Environment, is_host, is_http_address

SHORTEST_KEY, FEWEST_CHARACTERS = 32, 8
# Keys that stand in documents, examples and programs, where anybody can read them.
PUBLISHED_KEYS = ("django-insecure", "of-the-build", "only-for-tests", "change", "secret-key", "your-", "example")
# Names that no public name server knows: RFC 2606, RFC 6761, RFC 6762, RFC 8375, RFC 9476, and what ICANN keeps free.
PRIVATE_NAMES = ("localhost", "test", "example", "invalid", "local", "internal", "home.arpa", "alt")


def secret_key(env: Environment, *, debug: bool) -> str:
    """Read SECRET_KEY; with DEBUG, which only this machine sees, a weak one will do."""
    key = env.text("SECRET_KEY")
    if not debug and (weakness := weakness_of(key)):
        command = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        raise ImproperlyConfigured(
            f"SECRET_KEY {weakness}. Whoever guesses it can sign in as anybody; {command} makes one."
        )
    return key


def weakness_of(key: str) -> str:
    """Return what is wrong with a key, "" for nothing; it is quoted nowhere."""
    if len(key) < SHORTEST_KEY:
        return f"is shorter than {SHORTEST_KEY} characters; a long random text is needed"
    if key.lower().startswith(PUBLISHED_KEYS):
        return "is one from an example"
    if len(set(key)) < FEWEST_CHARACTERS:
        return f"has fewer than {FEWEST_CHARACTERS} different characters"
    if key in (key + key)[1:-1]:
        return "is a short text repeated"
    return ""


def trusted_proxies(env: Environment) -> tuple[bool, int]:
    """Read BEHIND_PROXY and TRUSTED_PROXY_COUNT, which must agree."""
    behind, count = env.flag("BEHIND_PROXY", False), env.number("TRUSTED_PROXY_COUNT", 0)
    if behind and not count:
        raise ImproperlyConfigured(
            "BEHIND_PROXY is on, but TRUSTED_PROXY_COUNT is not set: every visitor would have the proxy's address, and "
            "one who forges callbacks or guesses passwords would lock all others out. Set TRUSTED_PROXY_COUNT to how "
            "many proxies of your own append to X-Forwarded-For: usually 1; 2 with a CDN in front of your proxy."
        )
    return behind, count


def site_url(env: Environment) -> str:
    """Read SITE_URL: the shop's address without anything behind it."""
    url = env.url("SITE_URL", "http://127.0.0.1:8000")
    # A slash at the end, too: the proxy takes it for a path, and would serve that path alone.
    if re.search("[/?#]", url.partition("://")[2]):
        raise ImproperlyConfigured(
            f"SITE_URL is {url!r}; the shop has a host of its own, so it should end behind that, like "
            "https://shop.example.com."
        )
    return url


def allowed_hosts(env: Environment, *, debug: bool) -> list[str]:
    """Read ALLOWED_HOSTS: names alone; with DEBUG this machine's by default."""
    hosts = env.listing("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if debug else [])
    for host in hosts:
        if host != "*" and not is_host(host.removeprefix(".")):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS names {host!r}; it should be host names alone with commas between them, like "
                "shop.example.com."
            )
    return hosts


def refuse_unserved_host(site_url: str, hosts: Sequence[str]) -> None:
    """Raise ImproperlyConfigured where whoever comes by SITE_URL would be refused."""
    own = urlsplit(site_url).netloc.rpartition("@")[2]
    own = own if own.endswith("]") else re.sub(r":\d+$", "", own)
    if not hosts:
        raise ImproperlyConfigured(
            f"ALLOWED_HOSTS is not set: every visitor would be refused. It should be the shop's host name, {own}."
        )
    if not validate_host(own.lower(), hosts):
        raise ImproperlyConfigured(
            f"ALLOWED_HOSTS is {', '.join(hosts)}, and SITE_URL is {site_url}: whoever follows a link of the shop "
            f"would be refused. Add {own} to ALLOWED_HOSTS, or set SITE_URL to the address customers see."
        )


def trusted_origins(env: Environment) -> list[str]:
    """Read CSRF_TRUSTED_ORIGINS: whole addresses."""
    origins = env.listing("CSRF_TRUSTED_ORIGINS", [])
    for origin in origins:
        if not is_http_address(origin.replace("//*.", "//")):
            raise ImproperlyConfigured(
                f"CSRF_TRUSTED_ORIGINS names {origin!r}; it should be whole addresses, like https://shop.example.com."
            )
    return origins


def admin_host(env: Environment, *, site_url: str) -> tuple[str, str]:
    """Read ADMIN_HOST; return it with what the admin's addresses begin with; "" and the shop's where it is unset."""
    host = env.text("ADMIN_HOST", "").lower()
    if not host:
        return "", site_url
    if not is_host(host):
        raise ImproperlyConfigured(f"ADMIN_HOST is {host!r}; it should be a host name alone, like admin.example.com.")
    if host == host_of(site_url):
        raise ImproperlyConfigured("ADMIN_HOST is the shop's own host; it should be another one, or not be set.")
    shop = urlsplit(site_url)
    return host, f"{shop.scheme}://{host}" + (f":{shop.port}" if shop.port else "")


def security_contact(env: Environment) -> str:
    """Read SECURITY_CONTACT, an address for security.txt; a plain e-mail address becomes one. "": as support."""
    contact = env.text("SECURITY_CONTACT", "")
    if not contact or contact.startswith(("https://", "mailto:", "tel:")):
        return contact
    if "@" not in contact or not contact.isprintable():
        raise ImproperlyConfigured(f"SECURITY_CONTACT is {contact!r}; it should be an e-mail or an https address.")
    return f"mailto:{contact}"


def demo(
    env: Environment,
    site_url: str,
    allowed_hosts: Sequence[str],
    upstream_url: str,
    stripe_key: str,
    btcpay_url: str,
) -> tuple[bool, bool]:
    """Read DEMO, under which staff needs no second factor, and DEMO_PAYMENTS, under which payments move no money.

    Raise ImproperlyConfigured where anybody else gets to the demo, and for such payments anywhere but there.
    """
    payments = env.flag("DEMO_PAYMENTS", False)
    if not env.flag("DEMO", False):
        if payments:
            raise ImproperlyConfigured(
                "DEMO_PAYMENTS is on, but DEMO is not. With it customers give themselves money out of nothing; "
                "`make demo` sets both, and nothing else should. Remove it."
            )
        return False, False
    met = _met_in_public(site_url, allowed_hosts, upstream_url, stripe_key, btcpay_url)
    if not met and not is_this_machine(host_of(site_url)):
        met = f"SITE_URL is {site_url}, another machine"
    elsewhere = [host for host in allowed_hosts if not is_this_machine(host.strip("[]"))]
    if not met and elsewhere:
        met = f"ALLOWED_HOSTS names {elsewhere[0]}, another machine"
    if met:
        raise ImproperlyConfigured(
            f"DEMO is on, but {met}. With DEMO staff signs in with a password alone; `make demo` sets it, and nothing "
            "else should. Remove it."
        )
    return True, payments


def refuse_debug_in_public(
    site_url: str, allowed_hosts: Sequence[str], upstream_url: str, stripe_key: str, btcpay_url: str
) -> None:
    """Raise ImproperlyConfigured where DEBUG, whose gateway makes money out of nothing, meets the real world."""
    met = _met_in_public(site_url, allowed_hosts, upstream_url, stripe_key, btcpay_url)
    if met:
        raise ImproperlyConfigured(
            f"DEBUG is on, but {met}. DEBUG shows errors with their data to visitors and offers payments that move no "
            "money. Set DEBUG=false, or use the sandbox and test keys on this machine (`make demo`)."
        )


def _met_in_public(
    site_url: str, allowed_hosts: Sequence[str], upstream_url: str, stripe_key: str, btcpay_url: str
) -> str:
    """Return what of the real world these settings name, "" for nothing."""
    if is_public(host_of(site_url)):
        return f"SITE_URL is {site_url}, which everybody can reach"
    if public := [host for host in allowed_hosts if host == "*" or is_public(host.lstrip("."))]:
        return f"ALLOWED_HOSTS names {public[0]}, which everybody can reach"
    if upstream_url and not is_this_machine(host_of(upstream_url)):
        return f"UPSTREAM_URL is {upstream_url}, a supplier who takes real money"
    if stripe_key.startswith(("sk_live_", "rk_live_")):
        return "STRIPE_SECRET_KEY is a live one"
    if btcpay_url and not is_this_machine(host_of(btcpay_url)):
        return f"BTCPAY_URL is {btcpay_url}, another machine"
    return ""


def refuse_open_connections(*, upstream_url: str, btcpay_url: str) -> None:
    """Raise ImproperlyConfigured where a key would travel through the internet for everybody to read."""
    if upstream_url.startswith("http:") and not is_this_machine(host_of(upstream_url)):
        raise ImproperlyConfigured(
            f"UPSTREAM_URL is {upstream_url}: without TLS anybody on the way reads UPSTREAM_KEY and spends its "
            "balance. It should begin with https://."
        )
    if btcpay_url.startswith("http:") and is_public(host_of(btcpay_url)):
        raise ImproperlyConfigured(
            f"BTCPAY_URL is {btcpay_url}: without TLS anybody on the way reads BTCPAY_API_KEY. "
            "It should begin with https://."
        )


def host_of(url: str) -> str:
    """Return the host a URL names, in lower case and without brackets; "" where it names none."""
    return (urlsplit(url).hostname or "").removesuffix(".")


def is_this_machine(host: str) -> bool:
    """Whether a host is this very machine by every reading of its name; nothing is looked up."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")


def is_public(host: str) -> bool:
    """Whether strangers may be able to reach a host by this name; nothing is looked up."""
    host = host.strip("[]").removesuffix(".")
    address = _address(host)
    if address:
        return address.is_global
    return "." in host and not host.endswith(tuple(f".{name}" for name in PRIVATE_NAMES))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
