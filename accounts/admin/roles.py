"""What the admin pages of accounts and of roles let whom do; the rules themselves are in `accounts/rights.py`.

The form says early what is refused, and refuses in words; saving asks again, whichever form it was.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from accounts.admin.widgets import go_to, member_of_staff
from accounts.models import User
from accounts.operations import change_email
from accounts.rights import (
    ROLES,
    NotYours,
    Rights,
    is_owner,
    may_touch_account,
    refuse_change_of_group,
    refuse_change_of_rights,
    rights_of,
)
from accounts.security.email_changes import move_account
from accounts.security.reset_links import CannotSendLink, invite, send_reset_link
from accounts.typed_forms import ModelForm

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NewAccountForm(ModelForm):
    """An account by e-mail address; its owner is mailed a link and chooses the password."""

    class Meta:
        model = User
        fields = ("email",)


class AccountForm(ModelForm):
    """What may be changed of an account, by `actor`, whom the admin names."""

    actor: User

    class Meta:
        model = User
        exclude = ("password",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user_permissions" in self.fields:
            listed = cast(forms.ModelMultipleChoiceField, self.fields["user_permissions"])
            listed.queryset = cast(QuerySet[Any], listed.queryset).select_related("content_type")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            refuse_change_of_rights(self.actor, self.instance, rights_in(self))
        except NotYours as refusal:
            self.add_error(None, str(refusal))
        return cleaned


class GroupForm(ModelForm):
    """A role of the shop's own."""

    actor: User

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            refuse_change_of_group(self.actor, self.instance, _ids(cleaned.get("permissions", ())))
        except NotYours as refusal:
            self.add_error(None, str(refusal))
        return cleaned


def rights_in(form: forms.BaseModelForm) -> Rights:
    """Return the rights that an account has with what was typed; what the form does not ask for stays."""
    before, typed = rights_of(form.instance), form.cleaned_data
    return Rights(
        is_active=typed.get("is_active", before.is_active),
        is_staff=typed.get("is_staff", before.is_staff),
        is_superuser=typed.get("is_superuser", before.is_superuser),
        groups=_ids(typed["groups"]) if "groups" in typed else before.groups,
        permissions=_ids(typed["user_permissions"]) if "user_permissions" in typed else before.permissions,
    )


class AccountPages(admin.ModelAdmin):
    """Accounts: whose may be changed, which of their fields, and a link instead of a password (`actions_detail`)."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = member_of_staff(request)
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        actor = member_of_staff(request)
        if actor.is_superuser or obj is None:
            return fields
        if is_owner(actor):
            return (*fields, "is_superuser")
        # An address is the way to a new password, and a group of customers is a discount.
        discount = () if actor.has_perm("accounts.change_customergroup") else ("group",)
        return (*fields, "email", *discount, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_touch_account(member_of_staff(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # an account is disabled: its orders and its ledger stay

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, old_email = member_of_staff(request), form.initial.get("email", "")
        try:
            refuse_change_of_rights(actor, obj, rights_in(form))
        except NotYours as refusal:
            raise PermissionDenied(str(refusal)) from None
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            change_email(obj, obj.email)
            self._mail(request, obj, is_new=True)
        elif "email" in form.changed_data and old_email != obj.email:
            move_account(obj, old_email=old_email, new_email=obj.email, request=request)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Answer that there is no such page: whoever sets somebody's password can be them."""
        raise Http404

    def has_send_link_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("accounts.change_user"):
            return False
        account = User.objects.filter(pk=object_id).first() if str(object_id or "").isdecimal() else None
        return account is None or may_touch_account(member_of_staff(request), account)

    @action(
        description=gettext_lazy("Send a link to set a new password"),
        url_path="send-link",
        permissions=["send_link"],
        dialog={
            "title": gettext_lazy("Send a link to set a new password?"),
            "description": gettext_lazy("The account’s own address gets it. The old password works until then."),
            "form_class": BaseDialogForm,
            "form_submit_text": gettext_lazy("Send the link"),
        },
    )
    def send_link(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        account = cast(Any, self).get_object(request, object_id)
        if account is None:
            return go_to(request, reverse("admin:accounts_user_changelist"))
        self._mail(request, account)
        return go_to(request, reverse("admin:accounts_user_change", args=[account.pk]))

    def _mail(self, request: HttpRequest, account: User, *, is_new: bool = False) -> None:
        send = invite if is_new else send_reset_link
        try:
            send(account, by=member_of_staff(request), request=request, now=timezone.now())
        except CannotSendLink as refusal:
            messages.error(request, str(refusal))
            return
        words = _("%(email)s has been sent a link to set a new password.")
        messages.success(request, words % {"email": account.email})


class RolePages(admin.ModelAdmin):
    """Roles, which are groups of staff: edited by owners alone, and the ready-made ones by nobody."""

    form = GroupForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = member_of_staff(request)
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and is_owner(member_of_staff(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_theirs(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self._refuse(request, obj, _ids(form.cleaned_data.get("permissions", ())))
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._refuse(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for group in queryset:
            self._refuse(request, group)
        super().delete_queryset(request, queryset)

    def _refuse(self, request: HttpRequest, group: Group, after: Any = ()) -> None:
        try:
            refuse_change_of_group(member_of_staff(request), group, after)
        except NotYours as refusal:
            raise PermissionDenied(str(refusal)) from None


def _is_theirs(request: HttpRequest, group: Group | None) -> bool:
    return is_owner(member_of_staff(request)) and (group is None or group.name not in ROLES)


def _ids(rows: Any) -> frozenset[int]:
    return frozenset(row.pk for row in rows)
