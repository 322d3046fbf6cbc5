"""Doing something to many orders of the list: shown first with how many and how much, then done by a worker."""

import json
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.widgets import ModelAdmin, member_of_staff
from accounts.typed_forms import Form
from jobs.admin.jobs import page_of
from jobs.kinds import Row, chosen
from jobs.operations import ask_for
from orders.admin.bulk_kinds import ACTS, KINDS, Act, seen_of
from orders.admin.by_hand import LONGEST_REASON
from orders.lifecycle.attention import attention_of
from orders.models import AttentionFlag, Order

MOST = 2_000
SHOWN = 20
LIST = "admin:orders_order_changelist"


class BulkForm(Form):
    """What was chosen, as it was seen, and the text that an act asks for."""

    rows = forms.CharField(widget=forms.HiddenInput)
    back = forms.CharField(required=False, widget=forms.HiddenInput)
    note = forms.CharField(max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget)

    def __init__(self, act: Act, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if act.note is None:
            del self.fields["note"]
        else:
            self.fields["note"].label = str(act.note)
            self.fields["note"].help_text = _("Kept in the events of each order, for staff.")

    def clean_rows(self) -> list[Row]:
        try:
            pairs = json.loads(self.cleaned_data["rows"])
            rows = [Row(int(key), list(seen)) for key, seen in pairs]
        except (ValueError, TypeError, OverflowError):
            raise forms.ValidationError(_("Choose the orders again.")) from None
        if not 0 < len(rows) <= MOST:
            raise forms.ValidationError(_("Choose the orders again."))
        return rows


class BulkActs(ModelAdmin):
    """The list's actions, and the page that shows what one of them would do before it is done."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("bulk/<str:name>/", wrap(self.bulk), name="orders_order_bulk"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the acts to who may change orders."""
        if not request.user.has_perm("orders.change_order"):
            return {}
        return {name: (partial(_choose, name), name, act.title) for name, act in ACTS.items()}

    def bulk(self, request: HttpRequest, name: str) -> HttpResponse:
        """Write down what was confirmed as work for the background; whoever only looks here is led to the list."""
        if not request.user.has_perm("orders.change_order"):
            raise PermissionDenied
        act = ACTS.get(name)
        if act is None:
            raise Http404
        if request.method != "POST":
            return HttpResponseRedirect(reverse(LIST))
        form = BulkForm(act, request.POST)
        if not form.is_valid():
            if "rows" in form.errors:
                messages.error(request, str(form.errors["rows"][0]))
                return HttpResponseRedirect(reverse(LIST))
            orders = _orders([row.key for row in form.cleaned_data["rows"]])
            return _confirm_page(self, request, act, orders, form)
        rows = form.cleaned_data["rows"]
        words = ngettext("%(act)s: %(count)d order", "%(act)s: %(count)d orders", len(rows))
        title = words % {"act": act.title, "count": len(rows)}
        params = {**chosen(rows), "note": form.cleaned_data.get("note", "")}
        job = ask_for(
            KINDS[name],
            title=title,
            by=member_of_staff(request),
            now=timezone.now(),
            params=params,
            back=_list_page(form.cleaned_data["back"]),
        )
        return HttpResponseRedirect(page_of(job))


def _choose(name: str, pages: BulkActs, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
    """Show what an act would do to the chosen orders; nothing is done yet."""
    ids = list(queryset.order_by("-pk").values_list("pk", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        messages.error(request, _("Choose %(most)d orders at most: filter the list further.") % {"most": MOST})
        return None
    act, orders = ACTS[name], _orders(ids)
    fitting = [order for order in orders if act.fits(order)]
    if not fitting:
        messages.error(request, _("“%(act)s” fits none of the chosen orders as they stand.") % {"act": act.title})
        return None
    rows = json.dumps([[order.pk, seen_of(order)] for order in fitting])
    form = BulkForm(act, initial={"rows": rows, "back": request.GET.urlencode()})
    return _confirm_page(pages, request, act, orders, form)


def _confirm_page(pages: BulkActs, request: HttpRequest, act: Act, orders: list[Order], form: BulkForm) -> HttpResponse:
    fitting = [order for order in orders if act.fits(order)]
    context = {
        **pages.admin_site.each_context(request),
        "opts": pages.opts,
        "title": act.title,
        "act": act,
        "form": form,
        "count": len(fitting),
        "left_out": len(orders) - len(fitting),
        "paid_micros": sum(order.price_micros for order in fitting),
        "kept_micros": sum(order.kept_micros for order in fitting),
        "shown": [(order, attention_of(order)) for order in fitting[:SHOWN]],
        "customers": len({order.user_id for order in fitting}),
        "back": _list_page(str(form["back"].value() or "")),
    }
    return render(request, "admin/orders/bulk.html", context)


def _orders(ids: list[int]) -> list[Order]:
    """Return these orders, the newest first, with what the acts ask of them: three statements."""
    flags = Prefetch("flags", AttentionFlag.objects.open(), to_attr="open_flags")
    chosen_ones = Order.objects.filter(pk__in=ids).order_by("-pk")
    return list(chosen_ones.select_related("user", "service").prefetch_related(flags))


def _list_page(query: str) -> str:
    return f"{reverse(LIST)}?{query}" if query else reverse(LIST)
