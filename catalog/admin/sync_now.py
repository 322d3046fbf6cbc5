"""The button that has a worker sync the services now, and what is seen of a run while it goes on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldBooleanSwitchWidget

from accounts.admin.widgets import DialogForm, go_to
from catalog.models import SyncRun
from catalog.sync.heard import heard_of
from notifications.wake_worker import wake_worker

RUNNING = SyncRun.Status.RUNNING
# As `sync_catalog` calls them, in their order.
STAGE_TITLES = {
    "services": gettext_lazy("Asking for the catalog"),
    "subcategories": gettext_lazy("Asking who is in which subcategory"),
    "comparing": gettext_lazy("Comparing"),
    "writing": gettext_lazy("Writing"),
}
TASKS = {False: "catalog.tasks.sync_catalog", True: "catalog.tasks.sync_catalog_in_full"}


class SyncNowForm(DialogForm):
    in_full = forms.BooleanField(
        label=gettext_lazy("Ask for every subcategory"), required=False, widget=UnfoldBooleanSwitchWidget
    )


class SyncNow(UnfoldModelAdmin):
    """The part of the pages of sync runs that begins one; `actions_list` has to name it."""

    def get_urls(self) -> list[URLPattern]:
        """Return the pages of runs, with those that are looked at while one begins and goes on."""
        view = self.admin_site.admin_view
        own = [
            path("begins/<int:after>/", view(self.begins_view), name="catalog_syncrun_begins"),
            path("<int:pk>/progress/", view(self.progress_view), name="catalog_syncrun_progress"),
        ]
        return [*own, *super().get_urls()]

    def has_sync_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("catalog.change_syncrun"))

    @action(
        description=gettext_lazy("Sync now"),
        url_path="sync-now",
        permissions=["sync"],
        icon="sync",
        dialog={
            "title": gettext_lazy("Sync the services now"),
            "description": gettext_lazy(
                "A worker asks upstream for everything it sells and takes over what changed, as it does by itself "
                "every few minutes."
            ),
            "form_class": SyncNowForm,
            "form_submit_text": gettext_lazy("Sync"),
        },
    )
    def sync_now(self, request: HttpRequest, form: SyncNowForm) -> HttpResponse:
        runs = SyncRun.objects.filter(kind=SyncRun.Kind.CATALOG)
        if running := runs.filter(status=RUNNING).first():
            messages.info(request, _("A sync is running already; this is it."))
            return go_to(request, reverse("admin:catalog_syncrun_change", args=[running.pk]))
        newest = runs.order_by("-pk").values_list("pk", flat=True).first() or 0
        wake_worker(TASKS[form.cleaned_data["in_full"]])
        return go_to(request, reverse("admin:catalog_syncrun_begins", args=[newest]))

    def begins_view(self, request: HttpRequest, after: int) -> HttpResponse:
        """Wait for the run that a worker begins, and lead to it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        begun = SyncRun.objects.filter(kind=SyncRun.Kind.CATALOG, pk__gt=after).order_by("pk").first()
        if begun is not None:
            address = reverse("admin:catalog_syncrun_change", args=[begun.pk])
            return HttpResponseClientRedirect(address) if _is_htmx(request) else HttpResponseRedirect(address)
        title = _("A worker is about to begin")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "after": after}
        if _is_htmx(request):
            return render(request, "admin/catalog/sync_begins.html#waiting", context)
        return render(request, "admin/catalog/sync_begins.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how far a run has come; once it has ended, its page is shown anew."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = SyncRun.objects.filter(pk=pk).first()
        page = reverse("admin:catalog_syncrun_change", args=[pk])
        if not _is_htmx(request):
            return HttpResponseRedirect(page)
        if run is None or run.status != RUNNING:
            return HttpResponseClientRefresh()
        return render(request, "admin/catalog/sync_progress.html", {"sync_progress": shown_progress(run)})


def shown_progress(run: SyncRun | None) -> dict[str, Any] | None:
    """Return what the page of a run shows while it goes on; None for one that has ended."""
    if run is None or run.status != RUNNING:
        return None
    step, names = heard_of(run.kind), list(STAGE_TITLES)
    if step is None or step.stage not in names:
        return {"run": run, "stages": []}
    place = names.index(step.stage)
    stages = [
        {"title": STAGE_TITLES[name], "is_over": number < place, "step": step if number == place else None}
        for number, name in enumerate(names)
    ]
    return {"run": run, "stages": stages}


def _is_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]  # set by django-htmx
