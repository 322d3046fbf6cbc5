"""The buttons on an account's page that block it, and end that."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin.widgets import DialogForm, ask_again, go_to, member_of_staff
from accounts.models import User
from accounts.rights import NotYours, may_touch_account
from accounts.security.blocking import (
    AlreadyBlocked,
    NotBlocked,
    block_account,
    closed_by_owner,
    open_block_of,
    unblock_account,
)

NAMES = ("block", "unblock")


class BlockForm(DialogForm):
    """Why, for the staff and for the customer."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Only staff reads it."),
        min_length=3,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
    )
    told = forms.CharField(
        label=gettext_lazy("What the customer is told"),
        help_text=gettext_lazy(
            "They read it when they try to sign in or use the API. Empty: only that the account is blocked."
        ),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


BLOCK: dict[str, Any] = {
    "title": gettext_lazy("Block this account"),
    "description": gettext_lazy(
        "The customer is signed out everywhere at once, and can't sign in, order or use the API. Open orders go on, "
        "and refunds still land in the wallet."
    ),
    "form_class": BlockForm,
    "form_submit_text": gettext_lazy("Block"),
}
UNBLOCK: dict[str, Any] = {
    "title": gettext_lazy("Unblock this account"),
    "description": gettext_lazy("The customer can sign in, order and use the API again. Their keys work as before."),
    "form_class": BaseDialogForm,
    "form_submit_text": gettext_lazy("Unblock"),
}


def fitting(account: User) -> str:
    """Return the name of the button that an account's page has: "block", "unblock", or none."""
    if account.is_deleted:
        return ""
    if account.is_active or (closed_by_owner(account) and open_block_of(account) is None):
        return "block"
    return "unblock"


class BlockingAdmin(admin.ModelAdmin):
    """Blocks and unblocks accounts; `actions_detail` has to name both."""

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("accounts.change_user"):
            return False
        account = User.objects.filter(pk=object_id).first() if str(object_id or "").isdecimal() else None
        return account is None or may_touch_account(member_of_staff(request), account)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the one of the two that fits, and neither of one's own account."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # unfold's
        account = self.get_object(request, object_id)
        fits = "" if account is None or account.pk == request.user.pk else fitting(account)
        left_out = [name for name in NAMES if name != fits]
        return [one for one in offered if one.method.original_function_name not in left_out]

    @action(
        description=BLOCK["title"],
        url_path="block",
        permissions=["block"],
        variant=ActionVariant.DANGER,
        icon="block",
        dialog=BLOCK,
    )
    def block(self, request: HttpRequest, form: BlockForm, object_id: str) -> HttpResponse:
        words = {name: form.cleaned_data[name] for name in ("reason", "told")}

        def act(account: User, actor: User) -> str:
            block_account(account, actor=actor, **words, now=timezone.now())
            return _("%(email)s is blocked and signed out everywhere.") % {"email": account.email}

        return self._carry_out(request, object_id, form, act)

    @action(description=UNBLOCK["title"], url_path="unblock", permissions=["block"], icon="lock_open", dialog=UNBLOCK)
    def unblock(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        def act(account: User, actor: User) -> str:
            unblock_account(account, actor=actor, now=timezone.now())
            return _("%(email)s is no longer blocked.") % {"email": account.email}

        return self._carry_out(request, object_id, form, act)

    def _carry_out(
        self, request: HttpRequest, object_id: str, form: BaseDialogForm, act: Callable[[User, User], str]
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        if not may_touch_account(member_of_staff(request), account):
            raise PermissionDenied
        try:
            messages.success(request, act(account, member_of_staff(request)))
        except NotYours as refusal:  # the last owner, or oneself
            form.add_error(None, str(refusal))
            return ask_again(request, BLOCK if isinstance(form, BlockForm) else UNBLOCK, form)
        except (AlreadyBlocked, NotBlocked):
            messages.info(request, _("Somebody else was faster: nothing has changed."))
        return go_to(request, reverse("admin:accounts_user_change", args=[account.pk]))
