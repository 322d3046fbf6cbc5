"""Texts of tickets on pages."""

from django import template

from support.first_answers.moments_in_text import in_html

register = template.Library()
# {{ message.text|linebreaksbr|with_moments }}: moments in what a rule said, in the reader's own zone.
register.filter("with_moments", in_html, is_safe=True)
