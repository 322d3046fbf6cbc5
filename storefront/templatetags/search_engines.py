"""What the head of a page tells search engines and previews of links: `{% page_facts path=… title=… %}`."""

from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from catalog.browse.number_format import write_number
from catalog.models import Service
from storefront.search_engines.structured_data import (
    as_script,
    plain_description,
    product,
    questions,
    shop_itself,
    trail,
)
from support.documents.markdown import Part

register = template.Library()
LONGEST_DESCRIPTION = 160  # more is cut off where results are shown


@register.inclusion_tag("components/page_facts.html")
def page_facts(
    *, path: str, title: str, store_name: str, description: str = "", kind: str = "website", data: str = ""
) -> dict[str, Any]:
    """The one address of a page, what it is about, and how a link to it looks elsewhere; `data`: structured data."""
    return {
        "address": settings.SITE_URL + path,
        "title": title,
        "store_name": store_name,
        "description": description,
        "kind": kind,
        "data": data,
        "image": settings.SITE_URL + static("icons/social.png"),
        "language": get_language() or settings.LANGUAGE_CODE,
    }


@register.inclusion_tag("components/page_facts.html")
def service_for_machines(*, service: Service, rate_micros: int | None, store_name: str) -> dict[str, Any]:
    """The same for the page of a service: its product with price and limits, and where it stands."""
    if not service.rate_confirmed:
        rate_micros = None
    path, category = reverse("orders:place", args=[service.pk]), service.category.shown_as
    steps = [
        (_("All services"), reverse("catalog:index")),
        (category.title, reverse("catalog:category", args=[category.pk])),
        (service.title, path),
    ]
    data = as_script(product(service, rate_micros=rate_micros, store_name=store_name)) + as_script(trail(steps))
    description = _described(service, rate_micros)
    return page_facts(
        path=path, title=service.title, store_name=store_name, description=description, kind="product", data=data
    )


@register.simple_tag
def document_for_machines(*, parts: tuple[Part, ...], is_faq: bool) -> SafeString:
    """The questions and answers of the FAQ as structured data; nothing of other documents."""
    return as_script(questions(parts)) if is_faq else SafeString()


@register.simple_tag
def shop_for_machines(*, store_name: str) -> SafeString:
    """The shop itself as structured data."""
    return as_script(shop_itself(store_name))


def _described(service: Service, rate_micros: int | None) -> str:
    limits = {"minimum": write_number(service.min_quantity), "maximum": write_number(service.max_quantity)}
    if rate_micros is None:
        facts = _("Order %(minimum)s to %(maximum)s.") % limits
    elif service.rate_per == 1:
        facts = _("%(price)s each, order %(minimum)s to %(maximum)s.") % {"price": money(rate_micros), **limits}
    else:
        facts = _("%(price)s per %(pieces)s, order %(minimum)s to %(maximum)s.") % {
            "price": money(rate_micros),
            "pieces": write_number(service.rate_per),
            **limits,
        }
    return Truncator(f"{facts} {plain_description(service)}".strip()).chars(LONGEST_DESCRIPTION)
