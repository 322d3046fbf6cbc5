"""The made-up customers of the demo, and the links they order for."""

import random
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import User
from catalog.models import Service
from notifications.kinds import KINDS, MAIL
from notifications.models import NoticeChoice

# Addresses at example.com belong to nobody. Nobody signs in as one of them: they have no password.
NAMES = (
    "maria.keller", "studio.north", "jonas.weber", "olga.petrova", "liam.murphy", "growth.lab", "sofia.rossi",
    "artem.kovalenko", "chen.wei", "nadia.haddad", "agency.bright", "tomas.novak", "emma.larsen", "panel.partner",
)  # fmt: skip
REFERRED = frozenset({"jonas.weber", "sofia.rossi"})  # by the demo's customer
READS_RUSSIAN = frozenset({"olga.petrova", "artem.kovalenko"})
HOSTS = {"X (Twitter)": "x.com", "Telegram": "t.me", "VK": "vk.com", "Twitch": "twitch.tv"}
HANDLES = (
    "lena.travels", "northside_coffee", "daily.sketch", "fit.with.max", "urban_garden", "the.bread.club", "retro_bikes",
    "studio_aurora", "mila.cooks", "code.and.tea", "harbor_photo", "vinyl.corner", "trail_notes", "small.kitchen",
)  # fmt: skip


def make_people(*, referrer: User, joined: datetime) -> list[User]:
    """Create the customers, some of them brought by `referrer`, who joined from `joined` on; return them."""
    people = [
        User(
            email=f"{name}@example.com",
            password=make_password(None),
            language="ru" if name in READS_RUSSIAN else "en",
            referred_by=referrer if name in REFERRED else None,
            date_joined=joined + timedelta(hours=7 * place),
        )
        for place, name in enumerate(NAMES)
    ]
    User.objects.bulk_create(people)
    # A demo's mails should be those of its visitors.
    NoticeChoice.objects.bulk_create(
        NoticeChoice(user=user, kind=kind, channel=MAIL, wanted=False) for user in people for kind in KINDS
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people
    )
    return people


def link_for(service: Service, dice: random.Random, handle: str = "") -> str:
    """Return a link as customers paste them for this service: a profile, or a post of one."""
    name = service.category.name
    host = (
        HOSTS.get(name) or "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum()) + ".com"
    )
    address = f"https://{host}/{handle or dice.choice(HANDLES)}"
    return address if "ollower" in service.name else f"{address}/p/{dice.getrandbits(40):010x}"
