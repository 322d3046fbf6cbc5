"""What a service's description looks like on a page. It may be a stranger's HTML: only harmless tags get through."""

import re

import nh3
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe

from catalog.models import Service

TAGS = {"p", "br", "ul", "ol", "li", "b", "strong", "i", "em", "u", "s", "code", "pre", "blockquote", "a"}
_HEADING = re.compile(r"<(/?)h[1-6]\b[^>]*>", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(r"<(?:/?[a-z][a-z0-9]*\b[^>]*|!--.*?--)>", re.IGNORECASE | re.DOTALL)


def description_html(service: Service) -> SafeString:
    """Return the admin's description, else upstream's, as harmless HTML; "" when there is none.

    Text without tags keeps its line breaks. Links lead out in the open: no referrer, no endorsement, web and mail only.
    """
    text = (service.description or service.upstream_description).strip()
    if not text:
        return SafeString("")
    if not _LOOKS_LIKE_HTML.search(text):
        return SafeString(linebreaks(text, autoescape=True))
    # The page has headings of its own: a stranger's become bold lines.
    flat = _HEADING.sub(lambda tag: "</strong></p>" if tag[1] else "<p><strong>", text)
    cleaned = nh3.clean(
        flat,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
    )
    return mark_safe(cleaned.strip())  # noqa: S308 - nh3 has just cleaned it
