"""The shop's own face: how it is called, how it looks, what it says of itself, in which languages it speaks."""

from collections.abc import Mapping

from django.conf import settings
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences import colors
from preferences.kinds import Choices, Color, Drawing, Image, Text, Translated, Words
from preferences.registry import Group, Preference, declare

NAME_AND_LOOK = Group(_("Name and look"), 10, "look")
HOME = Group(_("Home page"), 20, "home")
CONTACT = Group(_("Contact"), 30, "contact")
OFFER = Group(_("What is on offer"), 40, "offer")
USUAL_ACCENT = "#0b5f4a"  # as static/css/tokens.css has it


def _told_when_adjusted(color: str) -> str:
    nearest = colors.nearest_readable(color)
    if nearest == color:
        return ""
    return gettext(
        "%(color)s is too light to be read on the pages: its contrast is %(contrast)s, and text needs 4.5. The shop "
        "uses %(nearest)s instead, the lightest color of that hue that can be read."
    ) % {"color": color, "contrast": f"{colors.contrast(color, colors.LIGHT_GROUNDS[0]):.1f}", "nearest": nearest}


STORE_NAME: Preference[str] = declare(
    Preference(
        "store_name",
        Text(longest=40),
        _("Name of the shop"),
        NAME_AND_LOOK,
        help=_("On every page, in every email, on receipts, in authenticator apps."),
        setting="STORE_NAME",
    )
)
LOGO_KIND = Image(sizes={"wide": (480, 96), "icon": (192, 192)}, square=frozenset({"icon"}))
LOGO: Preference[Mapping[str, Drawing]] = declare(
    Preference(
        "logo",
        LOGO_KIND,
        _("Logo"),
        NAME_AND_LOOK,
        help=_(
            "PNG, JPEG or WebP, up to 2 MB. It stands beside the name, up to 32 pixels high; a transparent background "
            "looks right in light and dark."
        ),
        default=dict,
    )
)
ACCENT: Preference[str] = declare(
    Preference(
        "accent",
        Color(),
        _("Accent color"),
        NAME_AND_LOOK,
        help=_("Of links and buttons. The colors of the dark theme are derived from it."),
        default=USUAL_ACCENT,
        warn=_told_when_adjusted,
    )
)
HEADLINE: Preference[Words] = declare(
    Preference(
        "headline",
        Translated(longest=90, fallback=""),
        _("Headline"),
        HOME,
        help=_("Words between *asterisks* are set in the accent color. Empty: the usual one."),
        default=Words,
    )
)
LEAD: Preference[Words] = declare(
    Preference(
        "lead",
        Translated(longest=300, fallback="", lines=True),
        _("Introduction"),
        HOME,
        help=_("A sentence or two below the headline. Empty: the usual one."),
        default=Words,
    )
)
SUPPORT_EMAIL: Preference[str] = declare(
    Preference(
        "support_email",
        Text(longest=254, checks=(validate_email,)),
        _("Support email"),
        CONTACT,
        help=_("Where customers write to: on pages, in emails and on receipts."),
        setting="SUPPORT_EMAIL",
    )
)
OTHER_CONTACT: Preference[Words] = declare(
    Preference(
        "other_contact",
        Translated(longest=120, fallback=""),
        _("Other ways to reach you"),
        CONTACT,
        help=_("A line at the foot of every page, such as your hours or a messenger."),
        default=Words,
    )
)
LANGUAGES: Preference[tuple[str, ...]] = declare(
    Preference(
        "languages",
        Choices(lambda: settings.LANGUAGES, always=lambda: [settings.LANGUAGE_CODE]),
        _("Languages"),
        OFFER,
        help=_("Those that pages and emails are offered in. The shop's own is always among them."),
        default=lambda: tuple(code for code, _name in settings.LANGUAGES),
    )
)
