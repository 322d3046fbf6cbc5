"""The profile `live`: what users of the live server report, where it differs from the document."""

import hashlib
import html
from typing import Any

from upstream.sandbox.catalog import PRODUCT, wire_row
from upstream.sandbox.numbers import DIAL_CODES, Project
from upstream.sandbox.profiles.translations import TRANSLATIONS, translated

SEPARATORS = ("----", "|", ":")
ABOUT_GOODS = ("Delivered by e-mail", "Replacement within 24 hours")


def known_language(language: str) -> str:
    """Return the language that names come back in: "" for English, and for one that nobody has translated."""
    return language if language in TRANSLATIONS else ""


# --- Services ------------------------------------------------------------------------------------------------------
def service_row(fields: dict[str, Any], language: str) -> dict[str, Any]:
    """Return what `services` sends of a row: the extras on every one, names in that language."""
    row = wire_row(fields)
    upstream_id = hashlib.sha256(f"service:{fields['service']}".encode()).hexdigest()[:24]
    row.setdefault("id", upstream_id)
    row.setdefault("entityType", fields["kind"])
    row.setdefault("description", _description(fields, language))
    row.setdefault("imageUrl", f"https://cdn.example.com/{row['id']}.png")
    if language:
        row["description"] = _description(fields, language)
        row["name"] = _service_name(fields, language)
        row["category"] = translated(fields["category"], language)
    return row


def category_row(row: dict[str, Any], language: str) -> dict[str, Any]:
    """Return what `categories` sends of a category."""
    subcategories = [translated(name, language) for name in row["subcategories"]]
    return {"category": translated(row["category"], language), "subcategories": subcategories}


def _service_name(fields: dict[str, Any], language: str) -> str:
    """A sample name is "network work | how | where | how fast"; what an edit made of it may be anything."""
    if not language:
        return str(fields["name"])
    first, *others = str(fields["name"]).split(" | ")
    category, subcategory = fields["category"], fields["subcategory"]
    if first == f"{category} {subcategory}":
        parts = (translated(category, language), translated(subcategory, language))
        first = ": ".join(parts) if fields["kind"] == PRODUCT else " ".join(reversed(parts))
    return " | ".join([translated(first, language), *(translated(part, language) for part in others)])


def _description(fields: dict[str, Any], language: str) -> str:
    first, *others = (html.escape(part) for part in _service_name(fields, language).split(" | "))
    if fields["kind"] == PRODUCT:
        others += [translated(text, language) for text in ABOUT_GOODS]
    rows = "".join(f"<li>{part}</li>" for part in others)
    return f'<p style="color:#333"><strong>{first}</strong>&nbsp;</p><ul>{rows}</ul><br>'


# --- Goods ---------------------------------------------------------------------------------------------------------
def separator_of(order_id: int) -> str:
    """Return what parts the pieces of each account of an order."""
    return SEPARATORS[order_id % len(SEPARATORS)]


# --- Numbers -------------------------------------------------------------------------------------------------------
def project_row(project: Project, language: str) -> dict[str, str]:
    """Return what `sms_projects` sends of a row: the filter takes `country_id`, `country_code` is for dialling."""
    row = project.wire()
    row["name"] = translated(project.name, language)
    row["country_code"] = _dial_code(project.country_id)
    row["country_title"] = translated(project.country_title, language).lower()
    return row


def country_row(row: dict[str, str], language: str) -> dict[str, str]:
    """Return what `sms_countries` sends of a row: those that share a dial code share their code, too."""
    return {
        "country_code": _dial_code(row["country_code"]),
        "country_name": translated(row["country_name"], language),
    }


def _dial_code(country: str) -> str:
    dial = DIAL_CODES.get(country)
    return country if dial is None else f"+{dial}"


def national(phone: str, country: str) -> str:
    """Return a number without its country's code."""
    return phone.removeprefix(f"+{DIAL_CODES.get(country, '')}")


def international(phone: str, country: str) -> str:
    """Return a number with its country's code, whether it was given with it or without."""
    digits = "".join(character for character in phone if character in "0123456789")
    dial = DIAL_CODES.get(country, "")
    return f"+{digits}" if phone.strip().startswith("+") else f"+{dial}{digits}"
