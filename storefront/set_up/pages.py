"""The page of the set-up, and the parts of it that are asked for while it lies open. The owners' alone."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.fresh_sign_in import kept_of
from accounts.admin.widgets import member_of_staff
from accounts.rights import is_owner
from catalog.models import SyncRun
from catalog.preferences import DEFAULT_MARKUP, FLOOR_MARGIN
from catalog.sync.heard import heard_of
from preferences.doors import WHOLE_SHOP
from preferences.face import STORE_NAME, SUPPORT_EMAIL
from preferences.registry import Preference
from storefront.preference_pages.forms import PreferencesForm
from storefront.preference_pages.saving import newest_change, save_typed
from storefront.set_up import operations
from storefront.set_up.prices import sample_prices
from storefront.set_up.progress import State, is_open, next_step, standings
from storefront.set_up.steps import BY_NAME, Step, callbacks

HERE = "admin:set_up"
FORMS: dict[str, tuple[Preference[Any], ...]] = {
    "store": (STORE_NAME, SUPPORT_EMAIL),
    "markup": (DEFAULT_MARKUP, FLOOR_MARGIN),
}
SYNCS = (SyncRun.Kind.CATALOG, SyncRun.Kind.SMS)
STAGES = {
    "services": gettext_lazy("Asking for the catalog"),
    "subcategories": gettext_lazy("Asking who is in which subcategory"),
    "comparing": gettext_lazy("Comparing"),
    "writing": gettext_lazy("Writing"),
    "countries and projects": gettext_lazy("Asking for countries and websites"),
}


def set_up(request: HttpRequest) -> HttpResponse:
    """Show how far the set-up is, and do what a button says; once it is over, lead Home."""
    _refuse_others(request)
    if not is_open():
        return HttpResponseRedirect(reverse("admin:index"))
    if request.method != "POST":
        return _page(request, {})
    if request.POST.get("do") == "open":
        return _open(request)
    step = BY_NAME.get(request.POST.get("step", ""))
    if step is None:
        return HttpResponseBadRequest("no such step")
    if request.POST.get("do") == "save" and step.name in FORMS:
        form = _form(request, step, request.POST)
        if not form.is_valid() or not save_typed(request, form):
            return _page(request, {step.name: form})
        for text in form.warnings():
            messages.warning(request, text)
    return _carry_out(request, step)


def sync_part(request: HttpRequest) -> HttpResponse:
    """Show how far the first sync is; the page asks for it every other second while one runs."""
    _refuse_others(request)
    if not is_open():
        raise Http404
    syncs = _syncs()
    [standing] = [one for one in standings() if one.step.name == "catalog"]
    answer = render(request, "admin/set_up/sync.html", {"syncs": syncs, "state": standing.state})
    if not syncs["moving"]:
        answer["HX-Trigger"] = "set-up-synced"  # there are services now to show prices of
    return answer


def prices_part(request: HttpRequest) -> HttpResponse:
    """Show what the markup that is being typed makes of real services' prices; nothing is saved."""
    _refuse_others(request)
    if not is_open():
        raise Http404
    form = _form(request, BY_NAME["markup"], {**request.GET.dict(), "seen": 0})
    lines = sample_prices(form.rows()) if form.is_valid() else []
    return render(request, "admin/set_up/prices.html", {"lines": lines, "errors": form.errors})


def _refuse_others(request: HttpRequest) -> None:
    if not is_owner(member_of_staff(request)):
        raise PermissionDenied


def _carry_out(request: HttpRequest, step: Step) -> HttpResponse:
    now, do = timezone.now(), request.POST.get("do")
    try:
        if do == "sync":
            operations.begin_sync()
        elif do == "skip":
            operations.skip_step(step, actor=member_of_staff(request), now=now)
        else:
            operations.check_step(step, actor=member_of_staff(request), now=now)
    except operations.AlreadyOpen:
        return HttpResponseRedirect(reverse("admin:index"))
    except operations.CannotBePutOff:
        messages.error(request, _("The shop can't be opened without this."))
    found = standings()
    following = next((one for one in found if one.step == step and one.state == State.FAILED), next_step(found))
    return HttpResponseRedirect(f"{reverse(HERE)}#{following.step.name if following else 'open'}")


def _open(request: HttpRequest) -> HttpResponse:
    try:
        operations.open_shop(actor=member_of_staff(request), now=timezone.now())
    except operations.NotSettled as error:
        left = ", ".join(str(step.title) for step in error.args[0])
        messages.error(request, _("Not yet: these steps are left: %(steps)s.") % {"steps": left})
        return HttpResponseRedirect(reverse(HERE))
    except operations.AlreadyOpen:
        messages.info(request, _("The shop has been opened already."))
    else:
        messages.success(request, _("The shop is open."))
    return HttpResponseRedirect(reverse("admin:index"))


def _form(request: HttpRequest, step: Step, data: Any = None) -> PreferencesForm:
    return PreferencesForm(data, user=member_of_staff(request), seen=newest_change(), only=FORMS[step.name])


def _page(request: HttpRequest, forms: dict[str, PreferencesForm]) -> HttpResponse:
    found = standings()
    following = next_step(found)
    kept = kept_of(request)
    for name in FORMS:
        if kept is not None and (kept.get("do"), kept.get("step")) == ("save", name):
            forms = {name: _form(request, BY_NAME[name], kept).without_errors()}
    for name in FORMS:
        forms.setdefault(name, _form(request, BY_NAME[name]))
    title = _("Set up the shop")
    context = {
        **admin.site.each_context(request),
        "title": title,
        "content_title": title,
        "standings": found,
        "following": following,
        "settled": sum(one.is_settled for one in found),
        "forms": forms,
        "shown": next((name for name, form in forms.items() if form.errors), following and following.step.name),
        "lines": sample_prices({}),
        "syncs": _syncs(),
        "callbacks": list(callbacks()),
        "begins_closed": WHOLE_SHOP.closed.value,
        "address": settings.SITE_URL,
        "states": State,
    }
    return render(request, "admin/set_up/set_up.html", context)


def _syncs() -> dict[str, Any]:
    """Return the last run of each sync, with how far it is where it runs; two statements."""
    runs: list[dict[str, Any]] = []
    for kind in SYNCS:
        run = SyncRun.objects.filter(kind=kind).first()
        running = run is not None and run.status == SyncRun.Status.RUNNING
        heard = heard_of(kind) if running else None
        stage = STAGES.get(heard.stage, heard.stage) if heard else ""
        runs.append({"title": kind.label, "run": run, "running": running, "heard": heard, "stage": stage})
    begun = operations.sync_begun_at()
    awaited = begun is not None and any(one["run"] is None or one["run"].started_at < begun for one in runs)
    return {"runs": runs, "awaited": awaited, "moving": awaited or any(one["running"] for one in runs)}
