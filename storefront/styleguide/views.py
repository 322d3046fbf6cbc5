"""The style guide: every component of templates/components in every state, for those who work on the shop."""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import CustomerRequest, customers_only
from storefront.styleguide.examples import EXAMPLES
from storefront.styleguide.states import FRAMES, Example

THEMES = {"light": gettext_lazy("Light"), "dark": gettext_lazy("Dark")}


@dataclass(frozen=True)
class ShownComponent:
    """A component with its states, each with what it looks like."""

    name: str
    states: list[tuple[str, SafeString]]


@customers_only
@require_safe
def styleguide(request: CustomerRequest) -> HttpResponse:
    """Show every component; `language` and `theme` in the query are for this page alone."""
    if not request.user.is_staff:
        raise Http404
    language = request.GET.get("language", "")
    if language not in dict(settings.LANGUAGES):
        language = translation.get_language() or settings.LANGUAGE_CODE
    theme = request.GET.get("theme", "")
    with translation.override(language):
        context = {
            "components": [shown(name) for name in sorted(EXAMPLES)],
            "theme": theme if theme in THEMES else "",
            "themes": [_choice(request, "theme", code, str(label), theme) for code, label in THEMES.items()],
            "languages": [_choice(request, "language", code, name, language) for code, name in settings.LANGUAGES],
        }
        return render(request, "styleguide/styleguide.html", context)


def _choice(request: CustomerRequest, name: str, value: str, label: str, chosen: str) -> dict[str, object]:
    """Return the inputs of a tab that chooses this value and keeps the rest of the query."""
    query = request.GET.copy()
    query[name] = value
    return {"url": f"?{query.urlencode()}", "label": label, "current": value == chosen}


def shown(name: str) -> ShownComponent:
    """Return the component of this name in all of its states, in the reader's language."""
    return ShownComponent(name, [(example.state, drawn(name, example)) for example in EXAMPLES[name]])


def drawn(name: str, example: Example) -> SafeString:
    """Return one state of a component as markup, inside of what it stands in."""
    before, after = FRAMES[example.inside]
    inner = render_to_string(f"components/{name}.html", dict(example.inputs))
    return mark_safe(f"{before}{inner}{after}")  # noqa: S308 - our own markup around a template's
