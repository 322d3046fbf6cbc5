"""Admin pages of customers: who they are, their groups, addresses and factors; those of API keys are in `keys`."""

from collections.abc import Collection
from typing import Any

import allauth.account.admin  # noqa: F401 - registers its pages, which are replaced below
from allauth.account.models import EmailAddress
from allauth.mfa import admin as allauth_mfa_admin
from allauth.mfa.models import Authenticator
from allauth.usersessions.admin import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.own_favors import NoOwnFavors
from accounts.admin.roles import AccountForm, AccountPages, NewAccountForm, RolePages
from accounts.admin.sign_in_as import SignInAsAdmin
from accounts.admin.widgets import EMPTY, ModelAdmin, ReadOnlyAdmin, member_of_staff
from accounts.models import CustomerGroup, User
from accounts.power import tied_to
from accounts.rights import has_worked_here, may_touch_account
from accounts.security.factor_removal import remove_factors
from accounts.templatetags.money import money

# Importing allauth's and Django's own admin modules has registered these plainly; they wear the shop's theme instead.
# Where somebody is signed in is for nobody but them to see.
for plain in (EmailAddress, Authenticator, Group, UserSession):
    admin.site.unregister(plain)


@admin.register(User)
class UserAdmin(SignInAsAdmin, AccountPages, NoOwnFavors, DjangoUserAdmin, ModelAdmin):
    form = AccountForm
    add_form = NewAccountForm
    add_form_template = None
    list_display = ("email", "group", "balance", "is_active", "is_staff", "date_joined")
    list_filter = ("group", "is_active", "is_staff")
    list_select_related = ("group", "wallet")
    search_fields = ("email",)
    named_by = ("email",)
    ordering = ("-id",)
    file_columns = ("id", "email", "group__name", "wallet__balance_micros", "is_active", "is_staff", "date_joined")
    autocomplete_fields = ("group",)
    readonly_fields = ("balance", "deletion_pending", "referred_by", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "group", "balance", "referred_by", "is_active", "deletion_pending")}),
        (
            gettext_lazy("Staff"),
            {"classes": ("collapse",), "fields": ("is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email",)}),)
    actions_detail = ("send_link", "sign_in_as")

    @display(description=gettext_lazy("balance"), ordering="wallet__balance_micros")
    def balance(self, user: User) -> str:
        wallet = getattr(user, "wallet", None)
        return EMPTY if wallet is None else money(wallet.balance_micros)

    def favored(self, staff: User, row: User, changed: Collection[str]) -> User | None:
        """Return the customer whose group is another one, which may only be left without asking anybody."""
        return row if "group" in changed and row.group_id is not None else None

    @display(description=gettext_lazy("deletion"))
    def deletion_pending(self, user: User) -> str:
        """What became of the customer's wish to have the account deleted, if there was one."""
        deletion = getattr(user, "deletion", None)
        if deletion is None:
            return EMPTY
        words = {"state": deletion.get_state_display(), "date": date_format(localtime(deletion.due_at), "DATE_FORMAT")}
        text: str = _("%(state)s, due %(date)s") % words
        return f"{text} {deletion.obstacle}".strip()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if getattr(getattr(obj, "deletion", None), "state", "") == "pending":
            # Closed by its owner, who may open it again: what staff said in between would be lost with that.
            fields = (*fields, "is_active")
        return fields


@admin.register(CustomerGroup)
class CustomerGroupAdmin(NoOwnFavors):
    list_display = ("name", "discount_percent", "is_reseller")
    search_fields = ("name",)

    def favored(self, staff: User, row: CustomerGroup, changed: Collection[str]) -> User | None:
        """Return a customer of a group whose discount rises: of those whom this member of staff may not favor."""
        before = CustomerGroup.objects.filter(pk=row.pk).first()
        if before is None or row.discount_percent <= before.discount_percent:
            return None
        return User.objects.filter(tied_to(staff), group=row.pk).first()


@admin.register(Group)
class GroupAdmin(RolePages, DjangoGroupAdmin, ModelAdmin):
    """Groups of staff, by what they may do; customers' discounts are in customer groups."""


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Addresses are changed on the customer's page; here staff can vouch for one whose mail never arrived."""

    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    actions = ("verify",)

    def has_verify_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("account.change_emailaddress")

    @admin.action(description=gettext_lazy("Mark as verified"), permissions=["verify"])
    def verify(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        for address in queryset.filter(verified=False):
            if not may_touch_account(member_of_staff(request), address.user):
                text = _("%(email)s belongs to an account with more rights than you.")
                messages.error(request, text % {"email": address.email})
            elif address.set_verified():
                self.log_change(request, address, "verified")
                messages.success(request, _("%(email)s has been verified.") % {"email": address.email})
            else:
                text = _("%(email)s already belongs to another account.")
                messages.error(request, text % {"email": address.email})


@admin.register(Authenticator)
class AuthenticatorAdmin(allauth_mfa_admin.AuthenticatorAdmin, ReadOnlyAdmin):
    """Second factors. Their secrets are not shown; deleting one lets in somebody who has lost the device.

    See `accounts/security/factor_removal.py`: whoever it was is told, and signed out everywhere.
    """

    list_select_related = ("user",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and not request.user.is_superuser and has_worked_here(obj.user):
            return False  # staff's are touched by a superuser alone
        if obj is not None and obj.user.is_staff:
            return obj.user_id != request.user.pk  # and nobody takes away their own here
        theirs = obj is None or may_touch_account(member_of_staff(request), obj.user)
        return theirs and request.user.has_perm("mfa.delete_authenticator")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_factors(obj.user, actor=member_of_staff(request), request=request, only={obj.pk})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        by_user: dict[Any, set[int]] = {}
        for factor in queryset.select_related("user"):
            by_user.setdefault(factor.user, set()).add(factor.pk)
        for user, factors in by_user.items():
            remove_factors(user, actor=member_of_staff(request), request=request, only=factors)
