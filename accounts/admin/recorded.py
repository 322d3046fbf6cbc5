"""Every act at the admin leaves an entry on the trail, whether or not its page thought of it.

What Django logs for the history of a row goes on the trail with the values before and after. Whatever else is posted
and leads on, and every file that is downloaded, is noted by the view it went through.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from accounts.admin.model_pages import SAFE, is_list, offered_actions
from accounts.trail import CHANGED, Action, acting_request, plain, record

NO_FIELDS = ("csrfmiddlewaretoken", "_form_submitted")
NAMED_ROWS = 100  # of an action for many rows; how many there were is said, too


class RecordedAdmin(UnfoldModelAdmin):
    """What the shop's admin classes are made of, for the trail's part."""

    @property
    def urls(self) -> list[URLPattern]:
        """Return the pages of this model, each of them watched."""
        pages = self.get_urls()
        for page in pages:
            page.callback = _watched(self, page.callback)
        return pages

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Remember what the form changed until Django logs it, which is the next thing it does."""
        fields = [name for name in form.changed_data if name in form.fields]
        after = {name: form.cleaned_data.get(name) for name in fields}
        before = {} if add else {name: form.get_initial_for_field(form.fields[name], name) for name in fields}
        # A form may say that something changed that none of its fields is called, as that of a password does.
        after.update({name: CHANGED for name in form.changed_data if name not in after})
        request._trail_values = (  # type: ignore[attr-defined]  # ours, until `_note` takes it
            {name: plain(value, name) for name, value in before.items()},
            {name: plain(value, name) for name, value in after.items()},
        )
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_addition(request, obj, message)
        self._note(Action.ADDED, request, obj, message)
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        self._note(Action.ACTED if isinstance(message, str) else Action.CHANGED, request, obj, message)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        entries = super().log_deletions(request, queryset)
        for row in queryset:
            record(Action.DELETED, actor=request.user, target=row, request=request, before=_columns(row))
        return entries

    def _note(self, action: str, request: HttpRequest, obj: Any, message: Any) -> None:
        before, after = request.__dict__.pop("_trail_values", ({}, {}))
        if isinstance(message, str) and message:
            after = {**after, "message": message}
        record(action, actor=request.user, target=obj, request=request, before=before, after=after)


def _watched(pages: UnfoldModelAdmin, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _refuse_other_spellings(pages, kwargs.get("object_id"))
        token = acting_request.set(request)
        try:
            response = view(request, *args, **kwargs)
        finally:
            acting_request.reset(token)
        if pages.admin_site.has_permission(request) and not getattr(request, "is_on_the_trail", False):
            _note_unnoticed(pages, request, response, kwargs.get("object_id"))
        return response

    return update_wrapper(watched, view)


def watched_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Watch a page that belongs to no model as those of models are; whether it may be opened is asked around this."""

    def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        token = acting_request.set(request)
        try:
            response = view(request, *args, **kwargs)
        finally:
            acting_request.reset(token)
        if not getattr(request, "is_on_the_trail", False) and (act := _act_of(request, response)):
            action, after = act
            record(action, actor=request.user, request=request, after={"page": _name_of(request), **kwargs, **after})
        return response

    return update_wrapper(watched, view)


def _refuse_other_spellings(pages: UnfoldModelAdmin, object_id: Any) -> None:
    """Raise Http404 for "+5", " 5" or "0_5", which Python reads as 5 and would find that row.

    Whoever asks whether the row may be touched, or notes which one it was, must not read the address in another way.
    """
    try:
        key = pages.opts.pk.to_python(object_id)
    except ValidationError:
        return  # names no row, and the page says so
    if isinstance(key, int) and str(key) != str(object_id):
        raise Http404


def _note_unnoticed(pages: UnfoldModelAdmin, request: HttpRequest, response: HttpResponseBase, object_id: Any) -> None:
    act = _act_of(request, response, pages)
    if act is None:
        return
    action, after = act
    target = pages.model(pk=object_id) if str(object_id or "").isdecimal() else pages.model()
    # Its text may want columns that nobody has read: the trail says the page, and the number of the row.
    entry = {"page": _name_of(request), **after}
    record(action, actor=request.user, target=_Unread(target), request=request, after=entry)  # type: ignore[arg-type]  # reads as a row


def _act_of(
    request: HttpRequest, response: HttpResponseBase, pages: UnfoldModelAdmin | None = None
) -> tuple[Action, dict[str, Any]] | None:
    """Return a download, or what was posted and led on; a form that came back with its errors has done nothing."""
    if response.status_code == 200 and response.get("Content-Disposition", "").startswith("attachment"):
        return Action.EXPORTED, {"asked": {name: request.GET.getlist(name) for name in request.GET}}
    if request.method not in SAFE and (response.status_code in (204, 302, 303) or "HX-Redirect" in response):
        return Action.ACTED, _what_was_posted(pages, request)
    return None


def _name_of(request: HttpRequest) -> str:
    name = request.resolver_match.url_name if request.resolver_match else ""
    return name or ""


class _Unread:
    """A row by its number."""

    def __init__(self, row: Model) -> None:
        self._meta, self.pk = row._meta, row.pk

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


def _what_was_posted(pages: UnfoldModelAdmin | None, request: HttpRequest) -> dict[str, Any]:
    """Return an action's name and rows, or the fields of a dialog, whatever was posted beside them."""
    if pages is not None and "action" in request.POST and is_list(pages, request):
        rows = request.POST.getlist("_selected_action")
        noted = {"action": _action_taken(request), "count": len(rows), "rows": rows[:NAMED_ROWS]}
        return {**noted, "all": True} if request.POST.get("select_across") == "1" else noted
    # The trail cuts what is too much: what a dialog asks for comes first.
    asked = _asked_by_dialogs(pages) if pages is not None else set()
    names = sorted((name for name in request.POST if name not in NO_FIELDS), key=lambda name: name not in asked)
    fields = {name: request.POST[name].strip() for name in names}
    return {"posted": fields} if fields else {}


def _action_taken(request: HttpRequest) -> str:
    """Return which of several actions in a post Django carries out: the one whose button was pressed, by its number."""
    named = request.POST.getlist("action")
    try:
        return named[int(request.POST.get("index", 0))]
    except ValueError:
        return named[0]
    except IndexError:
        return named[-1]


def _asked_by_dialogs(pages: UnfoldModelAdmin) -> set[str]:
    forms = [action.dialog.get("form_class") for action in offered_actions(pages) if action.dialog]
    return {name for form in forms if form is not None for name in form.base_fields}


def _columns(row: Model) -> dict[str, Any]:
    return {field.attname: plain(getattr(row, field.attname), field.name) for field in row._meta.concrete_fields}
