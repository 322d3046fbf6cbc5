"""Admin pages of API keys. Staff never sees a key: one they make or rotate is shown by its customer, once."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.admin.own_favors import NoOwnFavors, denied
from accounts.admin.widgets import (
    EMPTY,
    DialogForm,
    ReadOnlyAdmin,
    go_to,
    member_of_staff,
    money_column,
)
from accounts.keys.api_keys import (
    KeyIsRevoked,
    TooManyKeys,
    change_api_key,
    prepare_api_key,
    revoke_api_key,
    rotate_api_key,
)
from accounts.keys.forms import (
    BOUNDS,
    HABITS,
    POWERS,
    KeyForm,
)
from accounts.models import ApiKey, ApiKeySpending, User
from accounts.preferences import MAX_KEYS
from accounts.rights import may_touch_account
from accounts.security.notices import tell_of_change

LONGEST_OVERLAP_HOURS = 168
SPENT = money_column("spent_micros", gettext_lazy("spent"))
# What the customer is told: whoever works here and has a key of theirs could give it more powers in silence else.
_MADE = gettext_lazy("The shop's staff made you an API key: %(name)s. View it on your page, once.")
_CHANGED = gettext_lazy("The shop's staff changed what your API key %(name)s may do.")
_REPLACED = gettext_lazy("The shop's staff replaced your API key by a new one: %(name)s. View it on your page, once.")
_REVOKED = gettext_lazy("The shop's staff revoked your API key %(name)s.")


class StaffKeyForm(KeyForm):
    class Meta(KeyForm.Meta):
        fields = (*KeyForm.Meta.fields, "calls_per_minute")


class NewStaffKeyForm(StaffKeyForm):
    """A key for a customer, who shows it to themselves. `actor`: who makes it."""

    actor: User

    class Meta(StaffKeyForm.Meta):
        fields = ("user", "is_test", *StaffKeyForm.Meta.fields)

    def clean_user(self) -> User:
        user: User = self.cleaned_data["user"]
        if not may_touch_account(self.actor, user):
            raise forms.ValidationError(_("This account has more rights than you."))
        if ApiKey.objects.alive(timezone.now()).filter(user=user).count() >= MAX_KEYS.value:
            text = _("This customer already has %(maximum)s keys. Revoke one first.")
            raise forms.ValidationError(text % {"maximum": MAX_KEYS.value})
        return user


class RotateForm(DialogForm):
    """How long the programs that have the old key may go on using it."""

    hours = forms.IntegerField(
        label=gettext_lazy("Hours the old key keeps working"),
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        initial=24,
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(ApiKey)
class ApiKeyAdmin(NoOwnFavors):
    list_display = ("name", "user", "shown_prefix", "is_test", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("is_test", "revoked_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "name", "prefix")
    linked_by = ("user__id__exact",)
    named_by = ("name", "prefix")
    autocomplete_fields = ("user",)
    form = StaffKeyForm
    add_form = NewStaffKeyForm
    readonly_fields = ("shown_prefix", "created_at", "last_used_at", "last_used_from", "revoked_at")
    actions_detail = ("rotate", "revoke")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **({"form": self.add_form} if obj is None else {}), **kwargs)
        form.actor = member_of_staff(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        who = ("user", "is_test", "name") if obj is None else ("user", "is_test", "name", *self.readonly_fields)
        return (
            (None, {"fields": who}),
            (gettext_lazy("Permissions"), {"fields": (*POWERS, *BOUNDS, "calls_per_minute")}),
            (gettext_lazy("Compatibility"), {"fields": HABITS}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else (*self.readonly_fields, "user", "is_test")

    @display(description=gettext_lazy("begins with"), ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}…" if key.prefix else _("not shown yet")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)
        return allowed and (obj is None or may_touch_account(member_of_staff(request), obj.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a key is revoked: what it did stays on record

    def favored(self, staff: User, row: ApiKey, changed: Collection[str]) -> User | None:
        """Return whose key may be called more often; whatever else a key may do, its customer says themselves."""
        return row.user if "calls_per_minute" in changed else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with denied():
            self.check_favor(member_of_staff(request), obj, form.changed_data)
        if not change:
            obj.pk = prepare_api_key(**form.powers).pk
            _tell(obj.user, _MADE, form.powers["name"])
            messages.info(request, _("The customer can view the key on their page, once."))
            return
        try:
            change_api_key(obj.pk, **form.powers)
            if form.changed_data:
                _tell(obj.user, _CHANGED, form.powers["name"])
        except KeyIsRevoked:
            messages.error(request, _("This key has already been revoked."))

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("accounts.change_apikey"):
            return False
        key = ApiKey.objects.filter(pk=object_id).first() if str(object_id or "").isdecimal() else None
        return key is None or may_touch_account(member_of_staff(request), key.user)

    @action(
        description=gettext_lazy("Rotate"),
        url_path="rotate",
        permissions=["revoke"],
        dialog={
            "title": gettext_lazy("Replace this key with a new one?"),
            "description": gettext_lazy("The customer can view the new key on their page, once."),
            "form_class": RotateForm,
            "form_submit_text": gettext_lazy("Rotate"),
        },
    )
    def rotate(self, request: HttpRequest, form: RotateForm, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            return go_to(request, reverse("admin:accounts_apikey_changelist"))
        try:
            new, _text = rotate_api_key(key.pk, keep_old_for=timedelta(hours=form.cleaned_data["hours"]), unseen=True)
            self.log_change(request, key, "rotated")
            _tell(key.user, _REPLACED, new.name)
            messages.success(request, _("The customer can view the key on their page, once."))
            key = new
        except KeyIsRevoked:
            messages.error(request, _("This key no longer works."))
        except TooManyKeys:
            messages.error(request, _("This customer has too many keys. Revoke one first."))
        return go_to(request, reverse("admin:accounts_apikey_change", args=[key.pk]))

    @action(
        description=gettext_lazy("Revoke"),
        url_path="revoke",
        permissions=["revoke"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": gettext_lazy("Revoke this key?"),
            "description": gettext_lazy("Programs that use it stop working at once. This can't be undone."),
            "form_class": BaseDialogForm,
            "form_submit_text": gettext_lazy("Revoke"),
        },
    )
    def revoke(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            return go_to(request, reverse("admin:accounts_apikey_changelist"))
        try:
            revoke_api_key(key.pk)
            self.log_change(request, key, "revoked")
            _tell(key.user, _REVOKED, key.name)
            messages.success(request, _("The key has been revoked."))
        except KeyIsRevoked:
            messages.error(request, _("This key was already revoked."))
        return go_to(request, reverse("admin:accounts_apikey_change", args=[key.pk]))


def _tell(customer: User, text: Promise, name: str) -> None:
    with override(customer.mail_language):
        tell_of_change(customer, str(text) % {"name": name}, by_staff=True)


@admin.register(ApiKeySpending)
class ApiKeySpendingAdmin(ReadOnlyAdmin):
    list_display = ("key", "user", "day", SPENT)
    list_select_related = ("key__user",)
    search_fields = ("key__user__email", "key__name")
    date_hierarchy = "day"
    fields = ("key", "day", SPENT)
    readonly_fields = (SPENT,)

    @display(description=gettext_lazy("customer"))
    def user(self, spending: ApiKeySpending) -> str:
        return spending.key.user.email if spending.key_id else EMPTY
