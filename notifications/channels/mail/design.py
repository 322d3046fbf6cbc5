"""Mails in the shop's design: a text of ours as HTML, inside a frame with logo and accent.

Mail programs know little: tables, a few styles written at each element, and where they are modern a style sheet for
the dark. Whatever a mail says in HTML its text says, too.
"""

import re
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from preferences import colors
from preferences.face import ACCENT, STORE_NAME
from preferences.look import logo, picture_address

LOGO_HEIGHT = 32  # in pixels, as in the header of the pages
_FONT = "-apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
# The tokens of static/css/tokens.css, for daylight; the dark ones are in the template's style sheet.
_INK, _SOFT, _PAPER, _SURFACE, _LINE = "#16221d", "#4b5a53", "#f4f6f3", "#ffffff", "#d7dfd9"
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
# What a paragraph ends with where it asks for a press: its last word, or what stands alone below a colon.
_LAST_WORD = re.compile(r"(?s)(.*\S)(?: |(?<=:)\n)(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)”»])")
_NOT_THEIR_END = ".,;:!?)”»"


@dataclass(frozen=True)
class Part:
    """A paragraph, or the button it ends with, where that is an address of ours."""

    html: str = ""  # escaped; its links are ours
    url: str = ""


def parts_of(text: str) -> list[Part]:
    """Return the paragraphs of a text. Addresses of this shop are links; whatever else looks like one is text.

    Names of services come from elsewhere: a mail of ours leads nowhere but to us.
    """
    return [part for block in re.split(r"\n\s*\n", text.strip()) if block.strip() for part in _parts(block.strip())]


def mail_page(subject: str, template: str, context: dict[str, object]) -> str:
    """Return a mail as HTML, in the language that is active."""
    shown, light = logo("wide"), colors.light(ACCENT.value)
    face = {
        "language": get_language() or settings.LANGUAGE_CODE,
        "subject": subject,
        "store_name": STORE_NAME.value,
        "site_url": settings.SITE_URL,
        "logo": None
        if shown is None
        else {
            "url": settings.SITE_URL + picture_address(shown),
            "height": min(LOGO_HEIGHT, shown.height),
            "width": max(1, round(shown.width * min(LOGO_HEIGHT, shown.height) / shown.height)),
        },
        "light": light,
        "styles": _styles(light),
        "dark": colors.dark(ACCENT.value),
    }
    return render_to_string(template, {**context, **face})


def letter_page(subject: str, body: str) -> str:
    """Return a letter as HTML, in the language that is active: what its text says, in the shop's frame."""
    about = subject.removeprefix(f"{STORE_NAME.value}: ")  # whose mail it is says the frame
    return mail_page(about, "notifications/mail/letter.html", {"parts": parts_of(body)})


def _styles(accent: colors.Accent) -> dict[str, str]:
    """Return what stands at the elements of a mail, by what they are."""
    return {
        "paper": f"margin: 0; padding: 0; background-color: {_PAPER}",
        "sheet": "max-width: 560px",
        "brand": f"color: {_INK}; font: 700 18px/32px {_FONT}; text-decoration: none",
        "logo": "border: 0; vertical-align: middle; margin-right: 8px",
        "surface": (
            f"padding: 28px 24px; background-color: {_SURFACE}; border: 1px solid {_LINE}; border-radius: 12px; "
            f"color: {_INK}; font: 400 16px/1.5 {_FONT}"
        ),
        "foot": f"padding: 16px 4px; color: {_SOFT}; font: 400 13px/1.6 {_FONT}",
        "foot_link": f"color: {_SOFT}",
        "subject": f"margin: 0; color: {_INK}; font-size: 20px; line-height: 1.3; overflow-wrap: anywhere",
        "title": (
            f"margin: 24px 0 0; padding-top: 20px; border-top: 1px solid {_LINE}; color: {_INK}; font-size: 16px; "
            "line-height: 1.4; overflow-wrap: anywhere"
        ),
        "paragraph": "margin: 16px 0 0; overflow-wrap: anywhere",
        "list": "margin: 20px 0 0; padding: 0 0 0 20px; overflow-wrap: anywhere",
        "action": "margin: 20px 0 0",
        "button": (
            f"display: inline-block; padding: 10px 20px; border-radius: 8px; background-color: {accent.accent}; "
            f"color: {accent.on_accent}; font-weight: 600; text-decoration: none"
        ),
    }


def _parts(block: str) -> list[Part]:
    if _ADDRESS.fullmatch(block) and _is_ours(block):
        return [Part(url=block)]
    ending = _LAST_WORD.fullmatch(block)
    if ending and _is_ours(ending[2]):
        return [_paragraph(ending[1]), Part(url=ending[2])]
    return [_paragraph(block)]


def _paragraph(block: str) -> Part:
    lines = ((_with_links(line.rstrip()),) for line in block.split("\n"))
    return Part(format_html_join(SafeString("<br>"), "{}", lines))


def _with_links(line: str) -> SafeString:
    pieces, end = [], 0
    for found in _ADDRESS.finditer(line):
        address = found[0].rstrip(_NOT_THEIR_END)
        if not _is_ours(address):
            continue
        pieces.append(conditional_escape(line[end : found.start()]))
        pieces.append(format_html('<a class="link" href="{}">{}</a>', address, address))
        end = found.start() + len(address)
    pieces.append(conditional_escape(line[end:]))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _is_ours(address: str) -> bool:
    return address.startswith((f"{settings.SITE_URL}/", f"{settings.ADMIN_URL}/"))
