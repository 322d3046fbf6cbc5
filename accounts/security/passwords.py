"""Passwords that are refused because others have had them: lists of what has been stolen, all of it offline.

The list is zxcvbn's, the 30,000 passwords seen most often in breaches; Django's own validator has another of 20,000.
https://github.com/dropbox/zxcvbn
"""

from functools import cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from preferences.face import STORE_NAME

# What people write for letters so that a word passes for a password; those who guess know it as well.
AS_LETTERS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
ENDINGS = "0123456789!?.,-_*#"


@cache
def breached() -> frozenset[str]:
    """Return the list, in small letters; read at the first need."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # two megabytes that a worker never needs

    return frozenset(FREQUENCY_LISTS["passwords"])


def readings(password: str) -> set[str]:
    """Return what a password comes down to: in small letters, without what is usually put after it, undisguised."""
    small = password.lower().strip()
    plain = {small, small.rstrip(ENDINGS)}
    plain |= {text.translate(AS_LETTERS) for text in plain}
    # The same word twice, or three times, is that word.
    for text in list(plain):
        for times in (2, 3, 4):
            part, rest = divmod(len(text), times)
            if part > 2 and not rest and text[:part] * times == text:
                plain.add(text[:part])
    return plain - {""}


class BreachedPasswordValidator:
    """Refuse what stands in the list of breached passwords, or comes down to one of them."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError."""
        if not breached().isdisjoint(readings(password)):
            raise ValidationError(
                _("This password has appeared in data breaches. Choose another one."), code="password_breached"
            )

    def get_help_text(self) -> str:
        """What the form says before anything is typed."""
        return _("It can't be one that has appeared in data breaches.")


class OwnNamesValidator:
    """Refuse the customer's own address and the shop's name, which everybody would try first."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError."""
        email = (getattr(user, "email", "") or "").lower()
        shop = STORE_NAME.value.lower()
        names = {email, email.partition("@")[0], shop, shop.replace(" ", "")} - {""}
        if not names.isdisjoint(readings(password)):
            raise ValidationError(
                _("The password can't be your email address or the name of this shop."), code="password_is_a_name"
            )

    def get_help_text(self) -> str:
        """What the form says before anything is typed."""
        return _("It can't be your email address or the name of this shop.")
