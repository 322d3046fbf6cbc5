"""Where numbers are to be had: upstream says it, the shop hides what it does not want to sell."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.widgets import EditOnlyAdmin, ModelAdmin, money_column
from catalog.admin.translations import shown_translations
from sms import policy
from sms.models import Country, ForbiddenWord, Project, Site

upstream_price = money_column(
    "price_upstream_micros", gettext_lazy("upstream price"), currency=settings.UPSTREAM_CURRENCY
)


class HideAndShow(EditOnlyAdmin):
    """Rows that come from upstream and are hidden from customers, or shown to them, many at a time."""

    actions = ("hide", "show")
    asks_again = False  # what is shown is no money, and no secret

    @admin.action(description=gettext_lazy("Hide from customers"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_visible(request, queryset, visible=False)

    @admin.action(description=gettext_lazy("Show to customers"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._set_visible(request, queryset, visible=True)

    def _set_visible(self, request: HttpRequest, queryset: QuerySet, *, visible: bool) -> None:
        # By their keys: the list may be joined, and a joined row cannot be updated.
        chosen = list(queryset.exclude(visible=visible).values_list("pk", flat=True))
        count = self.model._default_manager.filter(pk__in=chosen).update(visible=visible)
        messages.success(
            request, ngettext("%(count)d row changed.", "%(count)d rows changed.", count) % {"count": count}
        )


@admin.register(Country)
class CountryAdmin(HideAndShow):
    list_display = ("flag", "name", "code", "dial_code", "visible")
    list_display_links = ("name",)
    list_editable = ("visible",)
    list_filter = ("visible",)
    search_fields = ("search_text",)
    readonly_fields = ("name", shown_translations, "code")
    fields = ("visible", "dial_code", "name", shown_translations, "code")

    def save_model(self, request: HttpRequest, obj: Country, form: Any, change: bool) -> None:
        obj.search_text = obj.found_by()
        super().save_model(request, obj, form, change)


@admin.register(Site)
class SiteAdmin(HideAndShow):
    list_display = ("name", "aliases", "visible", "forbidden")
    list_editable = ("visible",)
    list_filter = ("visible", "forbidden")
    search_fields = ("search_text",)
    readonly_fields = ("name", shown_translations, "forbidden")
    fields = ("visible", "aliases", *readonly_fields)

    def save_model(self, request: HttpRequest, obj: Site, form: Any, change: bool) -> None:
        obj.search_text = obj.found_by()
        super().save_model(request, obj, form, change)


@admin.register(ForbiddenWord)
class ForbiddenWordAdmin(ModelAdmin):
    """The word list of the acceptable-use policy; every change is applied to what is on sale at once."""

    asks_again = False
    list_display = ("word", "note", "created_at")
    search_fields = ("word", "note")
    fields = ("word", "note")

    def save_model(self, request: HttpRequest, obj: ForbiddenWord, form: Any, change: bool) -> None:
        self._say(request, policy.save_word(obj))

    def delete_model(self, request: HttpRequest, obj: ForbiddenWord) -> None:
        self._say(request, policy.delete_words([obj.pk]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._say(request, policy.delete_words(list(queryset.values_list("pk", flat=True))))

    def _say(self, request: HttpRequest, count: int) -> None:
        text = ngettext(
            "%(count)d website or app is newly forbidden or allowed.",
            "%(count)d websites and apps are newly forbidden or allowed.",
            count,
        )
        messages.info(request, text % {"count": count})


@admin.register(Project)
class ProjectAdmin(HideAndShow):
    list_display = ("name", "country", "upstream_id", upstream_price, "visible", "withdrawn_at")
    list_editable = ("visible",)
    list_filter = ("visible", ("withdrawn_at", admin.EmptyFieldListFilter), "site__forbidden")
    list_select_related = ("country",)
    search_fields = ("search_text", "country__search_text", "upstream_id")
    readonly_fields = ("name", "site", "country", "upstream_id", upstream_price, "missed_syncs", "withdrawn_at")
    fields = ("visible", *readonly_fields)
