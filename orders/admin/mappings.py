"""Words of the supplier that its document does not have, and what staff says they mean."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.own_favors import NoOwnFavors
from accounts.admin.widgets import (
    EMPTY,
    DialogForm,
    ReadOnlyAdmin,
    go_to,
    json_column,
    member_of_staff,
)
from accounts.models import User
from accounts.power import NotYourOwnMoney
from accounts.typed_forms import ModelForm
from catalog.models import MappedType
from catalog.operations.service_types import map_service_type
from orders.admin.widgets import dialog
from orders.attempts.assumptions import rely_again
from orders.fulfilment.apply_mappings import (
    apply_listed_refusal,
    apply_status_word,
    list_refusal,
    map_status_word,
    refuse_own_reported,
    refuse_own_waiting,
)
from orders.fulfilment.service_supply import STATUS_BY_WORD
from orders.lifecycle.drift import Subject, plain, settle_drift
from orders.lifecycle.refund_requests import count_waiting
from orders.models import ContractDrift, Kind, KnownRefusal, Status, StatusWord, UpstreamAssumption

STATUSES = list(StatusWord._meta.get_field("status").choices or ())
WORDS_OF_NUMBERS = (Status.PENDING, Status.CANCELED)  # a number waits or is over; it is completed by its code
SHOWN_SAMPLE = json_column("sample", gettext_lazy("sample"))
SHOWN_EVIDENCE = json_column("evidence", gettext_lazy("evidence"))
FITTING = {
    Subject.STATUS_WORD: ("map_word", "seen"),
    Subject.ERROR_TEXT: ("list_text", "seen"),
    Subject.ASSUMPTION: ("seen",),
    Subject.SERVICE_TYPE: ("map_type", "seen"),
    Subject.SET_ASIDE: ("seen",),
    Subject.UNREADABLE: ("seen",),
}


def shown_example(sample: dict[str, Any]) -> SafeString | str:
    """Return what an example names as a link to its page: an order, a sync, a service."""
    if "order" in sample:
        page, words = reverse("admin:orders_order_change", args=[sample["order"]]), f"#{sample['order']}"
    elif "service" in sample:
        page = f"{reverse('admin:catalog_service_changelist')}?q={sample['service']}"
        words = f"{sample['service']} ({sample.get('services', 1)})"
    elif "run" in sample:
        page = reverse("admin:catalog_syncrun_change", args=[sample["run"]]) + "?show=set_aside"
        words = " · ".join(filter(None, (sample.get("row", ""), sample.get("problem", "")))) or f"#{sample['run']}"
    else:
        return EMPTY
    return format_html('<a class="hover:underline" href="{}">{}</a>', page, words)


def check_meaning(kind: str, word: str, status: str) -> None:
    """Raise ValidationError when this word cannot mean this status."""
    if kind == Kind.NUMBER and status not in WORDS_OF_NUMBERS:
        raise ValidationError(
            _("For a number, a word can only mean Pending or Canceled; the code itself completes it.")
        )
    if kind == Kind.SERVICE and plain(word) in STATUS_BY_WORD:
        raise ValidationError(
            _("This word is already known: it means %(status)s.") % {"status": STATUS_BY_WORD[plain(word)].label}
        )


def orders_asked(count: int) -> str:
    """Say how many orders a mapping made due."""
    words = ngettext(
        "%(count)d order will be checked right away.", "%(count)d orders will be checked right away.", count
    )
    return words % {"count": count}


def orders_settled(count: int, *, waiting: int) -> str:
    """Say how many orders a listed text settled, and how many refunds are too much for one person."""
    words = ngettext(
        "%(count)d waiting order has been settled.",
        "%(count)d waiting orders have been settled.",
        count,
    )
    if not waiting:
        return words % {"count": count}
    more = ngettext(
        "%(count)d refund exceeds what one person may move within 24 hours and waits for a second person.",
        "%(count)d refunds exceed what one person may move within 24 hours and wait for a second person.",
        waiting,
    )
    return f"{words % {'count': count}} {more % {'count': waiting}}"


class StatusWordForm(ModelForm):
    class Meta:
        model = StatusWord
        fields = ("kind", "word", "status")

    def clean_word(self) -> str:
        return plain(self.cleaned_data["word"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"kind", "word", "status"} <= cleaned.keys():
            check_meaning(cleaned["kind"], cleaned["word"], cleaned["status"])
        return cleaned


@admin.register(StatusWord)
class StatusWordAdmin(NoOwnFavors):
    """What staff maps here is used by the next poll; the built-in words come first."""

    form = StatusWordForm
    list_display = ("word", "kind", "status", "created_at")
    list_filter = ("kind", "status")
    search_fields = ("word",)

    def check_favor(self, staff: User, row: StatusWord, changed: Collection[str]) -> None:
        """Raise NotYourOwnMoney where the word gives money back for an order of one's own."""
        refuse_own_reported(row.word, kind=row.kind, status=row.status, actor=staff, now=timezone.now())

    def save_model(self, request: HttpRequest, obj: StatusWord, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        messages.info(request, orders_asked(apply_status_word(obj, actor=member_of_staff(request), now=timezone.now())))


@admin.register(KnownRefusal)
class KnownRefusalAdmin(NoOwnFavors):
    list_display = ("text", "meaning", "created_at")
    list_filter = ("meaning",)
    search_fields = ("text",)
    fields = ("text", "meaning")

    def check_favor(self, staff: User, row: KnownRefusal, changed: Collection[str]) -> None:
        """Raise NotYourOwnMoney where an order of one's own waits because of the text."""
        refuse_own_waiting(row.text, staff)

    def save_model(self, request: HttpRequest, obj: KnownRefusal, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        actor, now = member_of_staff(request), timezone.now()
        count = apply_listed_refusal(obj.text, actor=actor, now=now)
        messages.info(request, orders_settled(count, waiting=count_waiting(actor, asked_at=now)))


class MapForm(DialogForm):
    """What a status word means."""

    status = forms.ChoiceField(label=gettext_lazy("meaning"), choices=STATUSES, widget=UnfoldAdminSelectWidget)


class ListForm(DialogForm):
    """What an error text means."""

    meaning = forms.ChoiceField(
        label=gettext_lazy("meaning"), choices=KnownRefusal.Meaning.choices, widget=UnfoldAdminSelectWidget
    )


class TypeForm(DialogForm):
    """How services of a type are ordered."""

    order_form = forms.ChoiceField(
        label=gettext_lazy("ordered by"),
        choices=MappedType._meta.get_field("order_form").choices or (),
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(ContractDrift)
class ContractDriftAdmin(ReadOnlyAdmin):
    list_display = ("text", "shown_subject", "example", "times", "first_seen_at", "last_seen_at", "settled_at")
    list_filter = (("settled_at", admin.EmptyFieldListFilter), "subject")
    search_fields = ("text",)
    fields = ("subject", "text", "times", SHOWN_SAMPLE, ("first_seen_at", "last_seen_at"), "settled_at")
    readonly_fields = ("subject", "text", "times", SHOWN_SAMPLE, "first_seen_at", "last_seen_at", "settled_at")
    actions_detail = ("map_word", "list_text", "map_type", "seen")

    @display(description=gettext_lazy("subject"), ordering="subject", label=True)
    def shown_subject(self, drift: ContractDrift) -> str:
        return str(drift.get_subject_display())

    @display(description=gettext_lazy("example"))
    def example(self, drift: ContractDrift) -> SafeString | str:
        return shown_example(drift.sample)

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_contractdrift")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what fits the subject, as long as it is not settled."""
        drift = self.get_object(request, object_id)
        fitting = FITTING[Subject(drift.subject)] if drift and drift.settled_at is None else ()
        offered = super().get_actions_detail(request, object_id)
        return [button for button in offered if button.method.original_function_name in fitting]

    @action(
        description=gettext_lazy("Map this word…"),
        url_path="map",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Map this word"),
            gettext_lazy("Orders reported with this word are checked right away and get this status from now on."),
            MapForm,
        ),
    )
    def map_word(self, request: HttpRequest, form: MapForm, object_id: str) -> HttpResponse:
        drift, status = self.get_object(request, object_id), form.cleaned_data["status"]
        if drift is None or drift.subject != Subject.STATUS_WORD:
            return self._back(request, object_id)
        kind = str(drift.sample.get("kind") or Kind.SERVICE)
        try:
            check_meaning(kind, drift.text, status)
        except ValidationError as refusal:
            messages.error(request, refusal.messages[0])
            return self._back(request, object_id)
        try:
            count = map_status_word(
                drift.text, kind=kind, status=status, actor=member_of_staff(request), now=timezone.now()
            )
        except NotYourOwnMoney as refusal:
            messages.error(request, str(refusal))
            return self._back(request, object_id)
        return self._done(request, drift, f"{drift.text} → {Status(status).label}. {orders_asked(count)}")

    @action(
        description=gettext_lazy("Add to known refusals"),
        url_path="list",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Add this text"),
            gettext_lazy(
                "Only if this text always means that nothing was bought. Orders waiting because of it are "
                "refunded, or sent again if it is about our balance or key."
            ),
            ListForm,
        ),
    )
    def list_text(self, request: HttpRequest, form: ListForm, object_id: str) -> HttpResponse:
        drift = self.get_object(request, object_id)
        if drift is None or drift.subject != Subject.ERROR_TEXT:
            return self._back(request, object_id)
        meaning, actor, now = form.cleaned_data["meaning"], member_of_staff(request), timezone.now()
        try:
            count = list_refusal(drift.text, meaning=meaning, actor=actor, now=now)
        except NotYourOwnMoney as refusal:
            messages.error(request, str(refusal))
            return self._back(request, object_id)
        settled = orders_settled(count, waiting=count_waiting(actor, asked_at=now))
        return self._done(request, drift, f"{KnownRefusal.Meaning(meaning).label}. {settled}")

    @action(
        description=gettext_lazy("Map this type…"),
        url_path="type",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Map this type"),
            gettext_lazy("Services of this type can be ordered in this way at once, and so can those of later syncs."),
            TypeForm,
        ),
    )
    def map_type(self, request: HttpRequest, form: TypeForm, object_id: str) -> HttpResponse:
        drift = self.get_object(request, object_id)
        if drift is None or drift.subject != Subject.SERVICE_TYPE:
            return self._back(request, object_id)
        count = map_service_type(str(drift.sample.get("type", "")), order_form=form.cleaned_data["order_form"])
        settle_drift(drift.subject, drift.text, now=timezone.now())
        words = ngettext("%(count)d service can be ordered now.", "%(count)d services can be ordered now.", count)
        return self._done(request, drift, words % {"count": count})

    @action(
        description=gettext_lazy("Mark as reviewed"),
        url_path="seen",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Mark as reviewed"),
            gettext_lazy("Nothing else changes. If upstream says it again, you will be notified again."),
        ),
    )
    def seen(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        drift = self.get_object(request, object_id)
        if drift is None or not settle_drift(drift.subject, drift.text, now=timezone.now()):
            return self._back(request, object_id)
        return self._done(request, drift, _("Marked as reviewed."))

    def _done(self, request: HttpRequest, drift: ContractDrift, done: str) -> HttpResponse:
        self.log_change(request, drift, done)
        messages.success(request, done)
        return go_to(request, reverse("admin:orders_contractdrift_changelist"))

    def _back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go_to(request, reverse("admin:orders_contractdrift_change", args=[object_id]))


@admin.register(UpstreamAssumption)
class UpstreamAssumptionAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "broken_at")
    list_filter = (("broken_at", admin.EmptyFieldListFilter), "kind")
    fields = ("name", "kind", "broken_at", SHOWN_EVIDENCE)
    readonly_fields = fields
    actions_detail = ("reset",)

    def has_reset_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_upstreamassumption")

    @action(
        description=gettext_lazy("Rely on it again"),
        url_path="reset",
        permissions=["reset"],
        dialog=dialog(
            gettext_lazy("Rely on it again"),
            gettext_lazy("Only if you know why it failed and that it holds now: lost orders are matched by it."),
        ),
    )
    def reset(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        assumption = self.get_object(request, object_id)
        if assumption is not None and rely_again(assumption.pk):
            done = _("Reconciliation relies on it again.")
            self.log_change(request, assumption, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("It wasn't broken."))
        return go_to(request, reverse("admin:orders_upstreamassumption_changelist"))
