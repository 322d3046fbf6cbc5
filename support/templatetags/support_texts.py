"""Texts that staff wrote in several languages, on pages."""

from collections.abc import Mapping

from django import template

from support.texts import in_readers_language

register = template.Library()


@register.filter
def in_my_language(texts: Mapping[str, str]) -> str:
    """Show the text in the reader's language, else in the shop's."""
    return in_readers_language(texts)
