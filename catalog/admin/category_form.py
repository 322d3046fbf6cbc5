"""The form of a category: where its services would move and what they would be called is shown before it is saved."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.typed_forms import AsTypedField
from catalog.admin.previewed import PreviewedForm
from catalog.models import Category, Service
from upstream.reading.text import line, lines

SHOWN_UNASKED_ABOVE = 100  # services: what moves or hides more than that is shown first
LONGEST_NAME = 200
ENGLISH = "en"


@dataclass(frozen=True)
class CategoryEffect:
    """What saving a category does: which services move, and what the category is called before and after."""

    services: int  # on sale in this category alone
    found: int  # and in those that are merged into it
    place_before: str
    place_after: str
    names: list[tuple[str, str, str]]  # language, before, after
    hides: bool

    @property
    def moves(self) -> bool:
        return self.place_before != self.place_after

    @property
    def changes(self) -> bool:
        return self.moves or bool(self.names) or self.hides


class CategoryForm(PreviewedForm):
    own_names = AsTypedField(
        label=gettext_lazy("display names in other languages"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("One in each line: “ru: Подписчики”. Else the display name is for all languages."),
    )

    effect: CategoryEffect | None = None

    class Meta:
        model = Category
        fields = ("own_names",)  # with it the admin names the others

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = sorted(self.instance.own_names.items())
        self.initial["own_names"] = "\n".join(f"{code}: {name}" for code, name in own)

    def clean_own_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for one in lines(self.cleaned_data["own_names"]):
            code, colon, name = one.partition(":")
            code, name = code.strip().lower(), line(name)
            if not (colon and name and len(name) <= LONGEST_NAME):
                raise ValidationError(_("This line can't be read: %(line)s") % {"line": one})
            kept = self.instance.own_names.get(code) == name  # of a language that the shop has no more
            if code not in settings.CATALOG_LANGUAGES and not kept:
                known = ", ".join(settings.CATALOG_LANGUAGES) or "–"
                raise ValidationError(
                    _("Names are shown in these languages (CATALOG_LANGUAGES): %(known)s.") % {"known": known}
                )
            names[code] = name
        return names

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        if self.errors or self.instance.pk is None:
            return
        effect = self.effect = _effect(self.instance)
        told = (effect, *(getattr(self.instance, name) for name in ("display_name", "merged_into_id", "visible")))
        many = (effect.moves and effect.services > SHOWN_UNASKED_ABOVE) or (
            effect.hides and effect.found > SHOWN_UNASKED_ABOVE
        )
        self.show_first(told, many=many)


def _effect(after: Category) -> CategoryEffect:
    before = Category.objects.select_related("merged_into").get(pk=after.pk)
    on_sale = Service.objects.on_sale_in_any_category()
    names = []
    for code in (ENGLISH, *settings.CATALOG_LANGUAGES):
        with override(code):
            pair = before.title, after.title
        if pair[0] != pair[1]:
            names.append((code, *pair))
    return CategoryEffect(
        services=on_sale.filter(category=after.pk).count(),
        found=on_sale.filter(Q(category=after.pk) | Q(category__merged_into=after.pk)).count(),
        place_before=(before.merged_into or before).name,
        place_after=(after.merged_into or after).name,
        names=names,
        hides=before.visible and not after.visible,
    )
