"""The button on a customer's page that leads to the shop as they see it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.widgets import go_to, member_of_staff
from accounts.sign_in_as.rules import is_offered, may_sign_in, may_sign_in_as
from accounts.sign_in_as.visits import MayNotSignInAs, begin_visit
from accounts.typed_forms import ReadsTyped

SIGN_IN_AS: dict[str, Any] = {
    "title": gettext_lazy("Look at the shop as this customer"),
    "description": gettext_lazy(
        "For half an hour you see the shop as the customer does. You can't change anything, and see no goods, codes "
        "or keys. The customer is told when and why, and each page is put on the trail."
    ),
    "form_submit_text": gettext_lazy("Look"),
}


class VisitForm(ReadsTyped, BaseDialogForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The customer reads it."),
        min_length=5,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
    )


class SignInAsAdmin(UnfoldModelAdmin):
    """A customer's page with the button, for those who may use it; `actions_detail` has to name it."""

    def has_sign_in_as_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not is_offered():
            if _asks_for_it(request.resolver_match.url_name if request.resolver_match else ""):
                raise Http404  # a shop that does not have it has no such address
            return False
        return may_sign_in(request.user) and self.has_view_permission(request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer it for accounts that it is allowed for."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        customer = self.get_object(request, object_id) if may_sign_in(request.user) else None
        if may_sign_in_as(hijacker=request.user, hijacked=customer):
            return offered
        return [one for one in offered if not _asks_for_it(one.action_name)]

    @action(
        description=SIGN_IN_AS["title"],
        url_path="sign-in-as",
        permissions=["sign_in_as"],
        icon="visibility",
        dialog={**SIGN_IN_AS, "form_class": VisitForm},
    )
    def sign_in_as(self, request: HttpRequest, form: VisitForm, object_id: str) -> HttpResponse:
        customer, reason = self.get_object(request, object_id), form.cleaned_data["reason"]
        if customer is None:
            raise Http404
        staff = member_of_staff(request)
        try:
            begin_visit(request, staff=staff, customer_id=customer.pk, reason=reason, now=timezone.now())
        except MayNotSignInAs:
            raise PermissionDenied from None
        return go_to(request, reverse("account"))


def _asks_for_it(name: str | None) -> bool:
    """Whether this is the name of the action's address, which the library puts the model's before."""
    return (name or "").endswith("_sign_in_as")
