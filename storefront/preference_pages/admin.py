"""The admin's page of preferences: see docs/preferences.md."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.widgets import ReadOnlyAdmin, member_of_staff
from preferences.change import SetOutside, undo
from preferences.models import PreferenceChange
from preferences.pictures import show_for_now
from preferences.registry import declared, find
from storefront.preference_pages.forms import PreferencesForm
from storefront.preference_pages.history import lines
from storefront.preference_pages.preview import preview
from storefront.preference_pages.saving import newest_change, put_on_the_trail, save_typed

HERE = "admin:preferences_preferencechange_changelist"


@admin.register(PreferenceChange)
class PreferencesAdmin(ReadOnlyAdmin):
    """One page in place of the list: the form, the preview it leads to, and the history with its way back."""

    changes_nothing = frozenset({"preferences_preview"})

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("preview/", self.admin_site.admin_view(self.preview_view), name="preferences_preview"),
            path("<int:pk>/undo/", self.admin_site.admin_view(self.undo_view), name="preferences_undo"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show all preferences, and save what was changed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            form = self._typed(request)
            if form.is_valid() and save_typed(request, form):
                for text in form.warnings():
                    messages.warning(request, text)
                return HttpResponseRedirect(reverse(HERE))
        elif (kept := kept_of(request)) is not None:
            form = PreferencesForm(kept, user=member_of_staff(request), seen=newest_change()).without_errors()
        else:
            form = PreferencesForm(user=member_of_staff(request), seen=newest_change())
        return self._page(request, form, extra_context)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Show the home page with what was typed, which is not saved."""
        self._refuse_who_changes_nothing(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse(HERE))
        form = self._typed(request)
        if not form.is_valid():
            return self._page(request, form)
        show_for_now(form.pictures)
        said = [_("This is a preview: nothing has been saved yet."), *form.warnings()]
        return preview(request, form.rows(), language=request.GET.get("language", ""), said=said)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put back what was there before a change."""
        self._refuse_who_changes_nothing(request)
        if request.method != "POST":
            return HttpResponseRedirect(reverse(HERE))
        change = get_object_or_404(PreferenceChange, pk=pk)
        preference = find(change.name)
        user = member_of_staff(request)
        if preference is None or not preference.shown:
            raise Http404
        if not user.has_perm(preference.permission):
            raise PermissionDenied
        try:
            with transaction.atomic():
                made = undo(change, actor_id=user.pk, actor=str(user), now=timezone.now())
                put_on_the_trail(request, made)
        except ValidationError as error:
            messages.error(
                request, _("The former value can't be put back. %(why)s") % {"why": " ".join(error.messages)}
            )
        except SetOutside:
            messages.error(request, _("The environment (.env) sets this: nothing has been changed."))
        else:
            said = _("The former value is back.") if made else _("The former value holds already.")
            messages.success(request, said)
        return HttpResponseRedirect(reverse(HERE))

    def _typed(self, request: HttpRequest) -> PreferencesForm:
        self._refuse_who_changes_nothing(request)
        return PreferencesForm(request.POST, request.FILES, user=member_of_staff(request), seen=newest_change())

    def _refuse_who_changes_nothing(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request) or not _may_change(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, form: PreferencesForm, extra: dict[str, Any] | None = None) -> HttpResponse:
        user = member_of_staff(request)
        context = {
            **self.admin_site.each_context(request),
            **(extra or {}),
            "opts": self.opts,
            "title": _("Settings of the shop"),
            "form": form,
            "history": lines(user),
            "languages": settings.LANGUAGES,
            "may_change": _may_change(request),
        }
        return render(request, "admin/preferences/preferences.html", context)


def _may_change(request: HttpRequest) -> bool:
    """Whether this person may change any of the preferences; which ones the form knows."""
    return any(member_of_staff(request).has_perm(one.permission) for one in declared())
