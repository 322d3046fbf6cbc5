"""Whatever is changed at the admin, whoever does it has confirmed who they are a moment ago, with their second factor.

What was posted without that is not carried out. It is kept in the session, without passwords, while the person
confirms; then the form comes back, to the browser that posted it, filled in as it was, says that nothing has been done
yet, and is pressed again. It is never carried out by itself: whoever has stolen a session could lay a form there for
its owner to confirm.
"""

import json
import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.forms import BaseDialogForm

from accounts.admin.model_pages import SAFE, is_list, offered_actions
from accounts.security.fresh_sign_in import KEPT_SECONDS, LONGEST, is_from_this_browser, keep_for_this_browser
from accounts.security.staff_factors import confirm_page, is_fresh_for_staff

KEPT = "admin_form"
SHOWN_ROWS = 100
# Parts of the names of fields that no session keeps.
NOT_KEPT = frozenset(("csrfmiddlewaretoken", "password", "password1", "password2", "secret", "token", "seed"))
View = Callable[..., HttpResponseBase]


class FreshSignInAdmin(UnfoldModelAdmin):
    """Pages whose forms, dialogs and actions are carried out only for somebody who has confirmed who they are lately.

    `asks_again = False` is for pages that change neither money nor secrets, roles, users or keys. `changes_nothing` has
    the names of addresses that are posted to and change nothing whatsoever, like a preview.
    """

    asks_again = True
    changes_nothing: frozenset[str] = frozenset()

    @property
    def urls(self) -> list[URLPattern]:
        """Return the pages of this model; the outermost thing they do is to ask."""
        pages: list[URLPattern] = super().urls
        for page in pages if self.asks_again else ():
            if page.name not in self.changes_nothing:
                page.callback = _confirmed(self, page.callback)
        return pages

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form's class; on the page that comes back after confirming, one that is filled in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        kept = kept_of(request)
        return form if kept is None else _filled_form(form, kept)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Return what an inline's forms are made of, filled in likewise."""
        made_of: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        kept = kept_of(request)
        if kept is not None and f"{prefix}-TOTAL_FORMS" in kept and inline.has_change_permission(request, obj):
            made_of["data"] = kept
        return made_of

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the rows that are edited in the list, filled in likewise."""
        formset = super().get_changelist_formset(request, **kwargs)
        kept = kept_of(request)
        return formset if kept is None else _filled_list(formset, kept, self.opts.pk.name)


def come_back(request: HttpRequest, state: str) -> HttpResponseBase:
    """Lead back to the form after confirming, if this browser posted it and that is still where the person wants to go.

    Whoever shares the session has another browser: what they have laid there is thrown away.
    """
    kept = json.loads(state)
    url = get_next_redirect_url(request)
    if url == kept["path"] and is_from_this_browser(request, kept):
        request.session[KEPT] = {name: kept[name] for name in ("path", "post", "at")}
    return HttpResponseRedirect(url or reverse("admin:index"))


def confirmed_page(view: View) -> View:
    """Ask likewise before anything is posted to a page that is no model's; inside of `admin_view`."""
    return _confirmed(None, view)


def _confirmed(pages: FreshSignInAdmin | None, view: View) -> View:
    def confirmed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if pages is not None and not pages.admin_site.has_permission(request):
            return view(request, *args, **kwargs)  # which sends them to sign in
        if request.method in SAFE:
            return _shown(pages, view, request, *args, **kwargs)
        if is_fresh_for_staff(request):
            request.session.pop(KEPT, None)
            return view(request, *args, **kwargs)
        return _keep_and_ask(request)

    return update_wrapper(confirmed, view)


def _keep_and_ask(request: HttpRequest) -> HttpResponseBase:
    fields = QueryDict(mutable=True)
    for name in request.POST:
        if NOT_KEPT.isdisjoint(name.lower().replace("-", "_").split("_")):
            fields.setlist(name, request.POST.getlist(name))
    text = fields.urlencode()
    page = request.get_full_path()
    answer = confirm_page(request, back=page)
    kept = {"path": page, "post": text if len(text) <= LONGEST else ""}
    keep_for_this_browser(request, answer, kept, callback=f"{__name__}.come_back")
    return answer


def _shown(
    pages: FreshSignInAdmin | None, view: View, request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    """Show a page; the one that was kept for comes filled in, and marked."""
    state = request.session.get(KEPT)
    if state is None or request.htmx or state["path"] != request.get_full_path():  # type: ignore[attr-defined]  # of django-htmx
        return view(request, *args, **kwargs)
    if time.time() - state["at"] > KEPT_SECONDS:
        del request.session[KEPT]
        return view(request, *args, **kwargs)
    kept = QueryDict(state["post"])
    messages.warning(request, _("Nothing has been done yet. Look through it and press the button again."))
    if pages is not None:
        if "action" in kept and "_save" not in kept and is_list(pages, request):
            return _action_page(pages, view, request, kept, *args, **kwargs)
        if dialog := _dialog_here(pages, request):
            return _dialog_page(pages, view, dialog, request, kept, *args, **kwargs)
    request._kept_form = kept  # type: ignore[attr-defined]  # ours: see `kept_of`
    return view(request, *args, **kwargs)


def kept_of(request: HttpRequest) -> QueryDict | None:
    """Return what was typed before its owner confirmed who they are, on the page that comes back after that."""
    kept: QueryDict | None = getattr(request, "_kept_form", None)
    return kept if kept else None


# --- What comes back ------------------------------------------------------------------------------------------------


def _filled_form(form: Any, kept: QueryDict) -> Any:
    """Return a form that holds what was typed. It is not read: nothing of it is checked, and nothing saved."""

    class Filled(form):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "data": kept})
            self._errors = ErrorDict()

    Filled.__name__ = form.__name__
    Filled.base_fields = form.base_fields  # made once already, and perhaps changed since
    return Filled


def _filled_list(formset: Any, kept: QueryDict, pk: str) -> Any:
    """Return the rows of a list as they were edited, if it still shows the same ones in the same order."""

    class Filled(formset):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            rows = [str(row.pk) for row in kwargs.get("queryset") or ()]
            prefix = self.get_default_prefix()
            edited = [kept.get(f"{prefix}-{number}-{pk}") for number in range(len(rows))]
            is_same = rows == edited and kept.get(f"{prefix}-TOTAL_FORMS") == str(len(rows))
            super().__init__(*args, **{**kwargs, **({"data": kept} if is_same else {})})

    return Filled


def _dialog_here(pages: FreshSignInAdmin, request: HttpRequest) -> dict[str, Any] | None:
    """Return the dialog that this address is of."""
    name = request.resolver_match.url_name if request.resolver_match else ""
    return next((action.dialog for action in offered_actions(pages) if action.action_name == name), None)


def _dialog_page(
    pages: FreshSignInAdmin,
    view: View,
    dialog: dict[str, Any],
    request: HttpRequest,
    kept: QueryDict,
    *args: Any,
    **kwargs: Any,
) -> HttpResponseBase:
    """Show a dialog as a page of its own: it was a part of one that is gone."""
    asked = view(request, *args, **kwargs)  # asks for permission; looking at a dialog does nothing
    if asked.status_code != 200:
        return asked
    form_class = dialog.get("form_class") or BaseDialogForm
    form = form_class(data=kept or None, request=request, object_id=kwargs.get("object_id"))
    form._errors = ErrorDict()
    number = kwargs.get("object_id")
    row = pages.get_object(request, number) if number else None
    context = {"dialog": dialog, "form": form, "title": dialog.get("title", ""), "row": row, "back": _list_of(pages)}
    return render(request, "admin/kept_dialog.html", {**pages.admin_site.each_context(request), **context})


def _action_page(
    pages: FreshSignInAdmin, view: View, request: HttpRequest, kept: QueryDict, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    """Show what would be done to which rows of a list."""
    actions = dict(pages.get_action_choices(request))
    if not pages.has_view_or_change_permission(request) or kept["action"] not in actions:
        return view(request, *args, **kwargs)
    chosen = [pk for pk in kept.getlist("_selected_action") if pk.isdecimal()]
    rows = pages.get_queryset(request).filter(pk__in=chosen)
    every = kept.get("select_across") == "1"
    context = {
        "title": actions[kept["action"]],
        "rows": [str(row) for row in rows[:SHOWN_ROWS]],
        "count": None if every else rows.count(),
        "fields": [(name, value) for name, values in kept.lists() for value in values],
        "opts": pages.opts,
        "back": request.get_full_path(),
    }
    return render(request, "admin/kept_action.html", {**pages.admin_site.each_context(request), **context})


def _list_of(pages: FreshSignInAdmin) -> str:
    return reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_changelist")
