"""Admin pages of customers: who they are, their groups and addresses; those of API keys are in `admin_keys`."""

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
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.admin.widgets import EMPTY, ModelAdmin, ReadOnlyAdmin
from accounts.models import CustomerGroup, User
from accounts.operations import change_email
from accounts.templatetags.money import money
from accounts.typed_forms import ReadsTyped

# Importing allauth's and Django's own admin modules has registered these plainly; they wear the shop's theme instead.
# Where somebody is signed in is for nobody but them to see.
for plain in (EmailAddress, Authenticator, Group, UserSession):
    admin.site.unregister(plain)


class AddCustomerForm(ReadsTyped, UserCreationForm):
    """An account by e-mail address and password; the address is verified at the first sign-in."""

    class Meta:
        model = User
        fields = ("email",)


class CustomerForm(ReadsTyped, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = CustomerForm
    add_form = AddCustomerForm
    change_password_form = AdminPasswordChangeForm
    add_form_template = None
    list_display = ("email", "group", "balance", "is_active", "is_staff", "date_joined")
    list_filter = ("group", "is_active", "is_staff")
    list_select_related = ("group", "wallet")
    search_fields = ("email",)
    named_by = ("email",)
    ordering = ("-id",)
    autocomplete_fields = ("group",)
    readonly_fields = ("balance", "deletion_pending", "referred_by", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "group", "balance", "referred_by", "is_active", "deletion_pending")}),
        (
            gettext_lazy("Staff"),
            {"classes": ("collapse",), "fields": ("is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)

    @display(description=gettext_lazy("balance"), ordering="wallet__balance_micros")
    def balance(self, user: User) -> str:
        wallet = getattr(user, "wallet", None)
        return EMPTY if wallet is None else money(wallet.balance_micros)

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
        if request.user.is_superuser:
            return fields
        # Who may edit customers must not be able to make themselves master of the shop.
        return (*fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        protected = isinstance(obj, User) and obj.is_staff and obj != request.user
        return allowed and (not protected or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # an account is disabled: its orders and its ledger stay

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            change_email(obj, obj.email)


@admin.register(CustomerGroup)
class CustomerGroupAdmin(ModelAdmin):
    list_display = ("name", "discount_percent")
    search_fields = ("name",)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
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
            if address.set_verified():
                self.log_change(request, address, "verified")
                messages.success(request, _("%(email)s has been verified.") % {"email": address.email})
            else:
                text = _("%(email)s already belongs to another account.")
                messages.error(request, text % {"email": address.email})


@admin.register(Authenticator)
class AuthenticatorAdmin(allauth_mfa_admin.AuthenticatorAdmin, ReadOnlyAdmin):
    """A customer's second factor. Its secret is not shown; deleting it lets in a customer who has lost the device."""

    list_select_related = ("user",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")
