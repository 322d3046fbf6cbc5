"""Editing the services of a list at once: what each would become is shown first, a worker does it, and puts it back."""

import hashlib
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.widgets import member_of_staff
from accounts.templatetags.money import money
from catalog.admin.edit_form import EditForm
from catalog.admin.edited_values import TITLES, changes_in_words
from catalog.models import EditedService, Service
from catalog.operations.edit_jobs import CHANGES_SERVICES, EDIT_SERVICES, PUT_SERVICES_BACK
from catalog.operations.edit_preview import EditEffect, Line, preview_edit
from catalog.operations.places import all_categories
from catalog.pricing.repricing import lock_prices
from catalog.sync.tables import set_of
from jobs.admin.list_files import filtered_rows
from jobs.models import StaffJob
from jobs.operations import ask_for

SHOWN_JOBS = 30
UNFINISHED = (StaffJob.State.WAITING, StaffJob.State.RUNNING)


class BulkEdit(UnfoldModelAdmin):
    """The part of the pages of services that edits many of them."""

    def get_urls(self) -> list[URLPattern]:
        """Return the pages of services, with that of an edit and that of the edits so far."""
        view = self.admin_site.admin_view
        own = [
            path("edit/", view(self.edit_view), name="catalog_service_edit"),
            path("edits/", view(self.edits_view), name="catalog_service_edits"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with the way to edit all that it shows."""
        links = []
        if self.has_change_permission(request):
            query = request.GET.urlencode()
            page = reverse("admin:catalog_service_edit")
            links.append({"title": _("Change by a file"), "url": reverse("admin:catalog_service_import")})
            links.append({"title": _("Edit them all"), "url": f"{page}?{query}" if query else page})
        listed: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "list_links": links})
        return listed

    @admin.action(description=gettext_lazy("Edit them at once"), permissions=["change"])
    def edit_chosen(self, request: HttpRequest, queryset: QuerySet[Service]) -> HttpResponse:
        """Lead to the page that edits these; of a whole list, to the one that edits what it shows."""
        if request.POST.get("select_across") == "1":
            query = request.GET.urlencode()
        else:
            query = "id__in=" + ",".join(str(pk) for pk in queryset.order_by("pk").values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('admin:catalog_service_edit')}?{query}")

    def edit_view(self, request: HttpRequest) -> HttpResponse:
        """Show what an edit of the services of a list would do; have it done once that was seen."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            services: Any = filtered_rows(self, member_of_staff(request), request.GET.urlencode())
        except IncorrectLookupParameters:
            messages.error(request, _("The list can't be filtered like that."))
            return HttpResponseRedirect(reverse("admin:catalog_service_changelist"))
        # Their ids first: a list is searched and filtered with joins, which the look at each service needs not.
        ids = list(services.order_by().values_list("pk", flat=True))
        if request.method != "POST":
            kept = kept_of(request)
            return self._page(request, EditForm() if kept is None else EditForm(initial=kept.dict()), ids)
        form, effect, fingerprint = EditForm(request.POST), None, ""
        if form.is_valid():
            effect = preview_edit(form.edit, Service.objects.filter(pk__in=set_of(ids)), now=timezone.now())
            fingerprint = _fingerprint(form, effect)
            if "_apply" in request.POST and effect.ids and request.POST.get("previewed") == fingerprint:
                return self._ask(request, form, effect, fingerprint)
            if "_apply" in request.POST and effect.ids:
                messages.warning(request, _("Something has changed since. Nothing has been done yet; look again."))
        return self._page(request, form, ids, effect, fingerprint)

    def edits_view(self, request: HttpRequest) -> HttpResponse:
        """Show the edits so far; put one of them back."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        jobs = StaffJob.objects.filter(kind__in=CHANGES_SERVICES).select_related("asked_by").defer("params", "problems")
        if request.method == "POST":
            number = request.POST.get("job", "")
            job = get_object_or_404(jobs, pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
            return self._put_back(request, job)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Edits of many services"),
            "content_title": _("Edits of many services"),
            "jobs": jobs[:SHOWN_JOBS],
        }
        return render(request, "admin/catalog/service_edits.html", context)

    def _put_back(self, request: HttpRequest, job: StaffJob) -> HttpResponse:
        if job.is_unfinished or not EditedService.objects.filter(job=job).exists():
            messages.error(request, _("There is nothing to put back."))
            return HttpResponseRedirect(reverse("admin:catalog_service_edits"))
        return _asked(request, PUT_SERVICES_BACK, _("Put back: %(what)s") % {"what": job.title}, {"job": job.pk})

    def _ask(self, request: HttpRequest, form: EditForm, effect: EditEffect, fingerprint: str) -> HttpResponse:
        columns = ", ".join(str(title) for name, title in TITLES.items() if effect.columns[name])
        words = ngettext("Edit %(count)d service: %(what)s", "Edit %(count)d services: %(what)s", effect.changed)
        params = {"edit": form.edit.params, "ids": effect.ids, "marks": effect.marks, "fingerprint": fingerprint}
        with transaction.atomic():
            lock_prices()  # of two clicks at once the second sees the job of the first
            same = StaffJob.objects.filter(kind=EDIT_SERVICES.name, params__fingerprint=fingerprint)
            if job := same.filter(state__in=UNFINISHED).first():
                messages.warning(request, _("This edit is being done already. It was not asked for again."))
                return HttpResponseRedirect(reverse("admin:jobs_staffjob_change", args=[job.pk]))
            return _asked(request, EDIT_SERVICES, words % {"count": effect.changed, "what": columns}, params)

    def _page(
        self, request: HttpRequest, form: EditForm, ids: list[int], effect: EditEffect | None = None, seen: str = ""
    ) -> HttpResponse:
        query = request.GET.urlencode()
        back = reverse("admin:catalog_service_changelist") + (f"?{query}" if query else "")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Edit many services"),
            "content_title": _("Edit many services"),
            "form": form,
            "count": len(ids),
            "effect": effect,
            "fingerprint": seen,
            "columns": [(title, effect.columns[name]) for name, title in TITLES.items() if effect.columns[name]]
            if effect
            else [],
            "table": _table(effect.lines) if effect else None,
            "back": back,
        }
        return render(request, "admin/catalog/service_edit.html", context)


def _asked(request: HttpRequest, kind: Any, title: str, params: dict[str, Any]) -> HttpResponse:
    staff, back = member_of_staff(request), reverse("admin:catalog_service_edits")
    job = ask_for(kind, title=title, by=staff, now=timezone.now(), params=params, back=back)
    return HttpResponseRedirect(reverse("admin:jobs_staffjob_change", args=[job.pk]))


def _fingerprint(form: EditForm, effect: EditEffect) -> str:
    """Return what stands for a preview: another one is shown before anything is done by it."""
    told = (
        form.edit,
        effect.marks,
        effect.dearer,
        effect.cheaper,
        effect.left_count,
        effect.appearing,
        effect.vanishing,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _table(lines: list[Line]) -> dict[str, Any]:
    """Return the first services that change, with each value that does: before → after."""
    rows, categories = [], all_categories()
    for line in lines:
        price = money(line.price_after)
        if line.price_before != line.price_after:
            price = f"{money(line.price_before)} → {price}"
        changes = changes_in_words(line.row.values._asdict(), line.after._asdict(), categories)
        rows.append([f"#{line.row.upstream_id}", line.row.values.display_name or line.row.name, changes, price])
    return {"headers": [_("ID"), _("Service"), _("Before → after"), _("Customers pay")], "rows": rows}
