"""What a page is about, in the words of schema.org (JSON-LD), for whoever reads it without looking.

Every name and description comes from upstream or staff and may hold anything. As JSON inside HTML it must not end its
element: `as_script` escapes what could.
"""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from catalog.models import Service
from support.documents.markdown import Part
from upstream.money import decimal_from_micros

# As Django's json_script. Source: the HTML standard, "Restrictions for contents of script elements".
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
Thing = dict[str, Any]


def as_script(thing: Thing) -> SafeString:
    """Return the element that carries it. It is data, so the content policy has nothing to run or to refuse."""
    text = json.dumps({"@context": "https://schema.org", **thing}, ensure_ascii=False).translate(_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - cannot end its element


def shop_itself(store_name: str) -> Thing:
    """Return the shop as a website with a search."""
    home = settings.SITE_URL + reverse("home")
    search = settings.SITE_URL + reverse("catalog:search")
    return {
        "@type": "WebSite",
        "name": store_name,
        "url": home,
        "publisher": {"@type": "Organization", "name": store_name, "url": home},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": f"{search}?q={{words}}"},
            "query-input": "required name=words",
        },
    }


def trail(steps: list[tuple[str, str]]) -> Thing:
    """Return where a page stands, from (title, path) of each page above it and its own."""
    places = [
        {"@type": "ListItem", "position": position, "name": title, "item": settings.SITE_URL + path}
        for position, (title, path) in enumerate(steps, start=1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": places}


def product(service: Service, *, rate_micros: int | None, store_name: str) -> Thing:
    """Return a service as a product; its offer only where the price is certain. `rate_micros` buys `rate_per`."""
    address = settings.SITE_URL + reverse("orders:place", args=[service.pk])
    thing: Thing = {
        "@type": "Product",
        "name": service.title,
        "sku": str(service.pk),
        "category": service.category.title,
        "description": plain_description(service) or service.title,
        "url": address,
    }
    if rate_micros is None:
        return thing
    price = f"{decimal_from_micros(rate_micros).normalize():f}"
    in_stock = "InStock" if service.orderable else "OutOfStock"
    thing["offers"] = {
        "@type": "Offer",
        "url": address,
        "price": price,
        "priceCurrency": settings.STORE_CURRENCY,
        "priceSpecification": {
            "@type": "UnitPriceSpecification",
            "price": price,
            "priceCurrency": settings.STORE_CURRENCY,
            "referenceQuantity": {"@type": "QuantitativeValue", "value": service.rate_per},
        },
        "eligibleQuantity": {
            "@type": "QuantitativeValue",
            "minValue": service.min_quantity,
            "maxValue": service.max_quantity,
        },
        "availability": f"https://schema.org/{in_stock}",
        "seller": {"@type": "Organization", "name": store_name},
    }
    return thing


def questions(parts: tuple[Part, ...]) -> Thing:
    """Return the questions of a document, which are its headings of the second level, and their answers."""
    asked = [inner for part in parts for inner in part.parts]
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {"@type": "Question", "name": each.title, "acceptedAnswer": {"@type": "Answer", "text": str(each.html)}}
            for each in asked
        ],
    }


def plain_description(service: Service) -> str:
    """Return the beginning of the description without markup, on one line; "" when there is none."""
    text = strip_tags(service.description or service.upstream_description)
    return Truncator(" ".join(text.split())).chars(300)
