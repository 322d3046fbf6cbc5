"""Coupons, who used them, and what customers earn by bringing others."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import (
    EMPTY,
    ModelAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    member_of_staff,
    money_column,
)
from accounts.templatetags.money import money
from accounts.typed_forms import ModelForm
from orders.lifecycle.coupon_makers import note_maker
from orders.lifecycle.coupons import CODE, code_of
from orders.models import CashbackEarning, Coupon, CouponUse, ReferralEarning

STATE_COLOURS = {
    ReferralEarning.State.WAITING: "warning",
    ReferralEarning.State.CREDITED: "success",
    ReferralEarning.State.VOID: "danger",
}
CASHBACK_COLOURS = {
    CashbackEarning.State.WAITING: "warning",
    CashbackEarning.State.CREDITED: "success",
    CashbackEarning.State.VOID: "danger",
}


class CouponForm(ModelForm):
    """A coupon as staff enters it; the rules that the database holds as well are said beside their fields here."""

    class Meta:
        model = Coupon
        fields = (
            "code",
            "active",
            "percent",
            "amount_micros",
            "min_order_micros",
            "first_purchase_only",
            "per_customer",
            "in_all",
            "valid_from",
            "valid_until",
        )

    def clean_code(self) -> str:
        code = code_of(self.cleaned_data["code"])
        if not CODE.fullmatch(code):
            raise forms.ValidationError(_("Use letters from A to Z, digits, hyphens and underscores."))
        if Coupon.objects.filter(code=code).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("A coupon with this code already exists."))
        return code

    def clean_in_all(self) -> int:
        in_all: int = self.cleaned_data["in_all"]
        if 0 < in_all < self.instance.uses:
            words = _("It has already been used %(count)d times. Turn it off instead.")
            raise forms.ValidationError(words % {"count": self.instance.uses})
        return in_all

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if begins and ends and ends <= begins:
            self.add_error("valid_until", _("The coupon must end after it starts."))
        return cleaned


class CouponUseInline(ReadOnlyInline):
    """The orders that a coupon made cheaper, on its page."""

    model = CouponUse
    hide_title = True
    fields = ("order", "user", "discount", "created_at", "freed_at")
    readonly_fields = fields
    per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[CouponUse]:
        return super().get_queryset(request).select_related("order", "user", "coupon")

    @display(description=gettext_lazy("discount"))
    def discount(self, use: CouponUse) -> str:
        # None: a row that somebody has made up in the form.
        return "" if use.discount_micros is None else money(use.discount_micros)


@admin.register(Coupon)
class CouponAdmin(ModelAdmin):
    form = CouponForm
    list_display = ("code", "takes_off", "usable", "shown_uses", "first_purchase_only", "valid_until")
    list_filter = ("active", "first_purchase_only", "valid_until")
    search_fields = ("code",)
    named_by = ("code",)
    readonly_fields = ("uses", "created_at", "shown_makers")
    inlines = (CouponUseInline,)
    fieldsets = (
        (None, {"fields": (("code", "active"), ("percent", "amount_micros"), "min_order_micros")}),
        (
            gettext_lazy("Limits"),
            {"fields": ("first_purchase_only", ("per_customer", "in_all"), ("valid_from", "valid_until"))},
        ),
        (None, {"fields": (("uses", "created_at"), "shown_makers")}),
    )

    @display(description=gettext_lazy("discount"), ordering="percent")
    def takes_off(self, coupon: Coupon) -> str:
        return money(coupon.amount_micros) if coupon.amount_micros else f"{coupon.percent.normalize():f}%"

    @display(description=gettext_lazy("can be used"), boolean=True)
    def usable(self, coupon: Coupon) -> bool:
        now = timezone.now()
        begun = coupon.valid_from is None or coupon.valid_from <= now
        over = coupon.valid_until is not None and coupon.valid_until <= now
        return coupon.active and begun and not over and not 0 < coupon.in_all <= coupon.uses

    @display(description=gettext_lazy("uses so far"), ordering="uses")
    def shown_uses(self, coupon: Coupon) -> str:
        return f"{coupon.uses} / {coupon.in_all}" if coupon.in_all else str(coupon.uses)

    @display(description=gettext_lazy("made or raised by"))
    def shown_makers(self, coupon: Coupon) -> str:
        makers = coupon.makers.select_related("user") if coupon.pk else ()
        return ", ".join(maker.user.email for maker in makers) or EMPTY

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # it is turned off instead: its uses stay

    def save_model(self, request: HttpRequest, obj: Coupon, form: forms.ModelForm, change: bool) -> None:
        # Held, so that what was there before is what this save changes, and nobody uses it in between.
        before = Coupon.objects.select_for_update().get(pk=obj.pk) if change else None
        # Only what was edited: customers go on using the coupon while its page is open, and are counted.
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)
        else:
            return
        note_maker(obj, before=before, fields=form.changed_data, staff=member_of_staff(request), now=timezone.now())


@admin.register(CouponUse)
class CouponUseAdmin(ReadOnlyAdmin):
    list_display = (
        "order",
        "coupon",
        "user",
        money_column("discount_micros", gettext_lazy("discount")),
        "created_at",
        "freed_at",
    )
    list_filter = (("freed_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("order", "coupon", "user")
    search_fields = ("coupon__code", "user__email", "order__id__exact")
    fields = (
        "order",
        "coupon",
        "user",
        money_column("discount_micros", gettext_lazy("discount")),
        "created_at",
        "freed_at",
    )
    readonly_fields = fields


@admin.register(ReferralEarning)
class ReferralEarningAdmin(ReadOnlyAdmin):
    """What was earned by referring a customer; staff sees who referred whom, customers see only that they earned."""

    list_display = (
        "order",
        "referrer",
        "buyer",
        "shown_state",
        money_column("amount_micros", gettext_lazy("amount")),
        "percent",
        "due_at",
    )
    list_filter = ("state", "created_at")
    list_select_related = ("order__user", "referrer")
    search_fields = ("referrer__email", "order__user__email", "order__id__exact")
    fields = (
        ("order", "buyer"),
        "referrer",
        ("shown_state", "percent"),
        money_column("amount_micros", gettext_lazy("amount")),
        ("created_at", "due_at", "closed_at"),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, earning: ReferralEarning) -> tuple[str, str]:
        return earning.state, earning.get_state_display()

    @display(description=gettext_lazy("bought by"), ordering="order__user__email")
    def buyer(self, earning: ReferralEarning) -> Any:
        return earning.order.user or EMPTY


@admin.register(CashbackEarning)
class CashbackEarningAdmin(ReadOnlyAdmin):
    """What orders earned their own customers, and what was taken back of it."""

    list_display = (
        "order",
        "user",
        "shown_state",
        money_column("amount_micros", gettext_lazy("amount")),
        money_column("taken_back_micros", gettext_lazy("taken back")),
        "percent",
        "due_at",
    )
    list_filter = ("state", "created_at")
    list_select_related = ("order", "user")
    search_fields = ("user__email", "order__id__exact")
    linked_by = ("user__id__exact",)
    fields = (
        ("order", "user"),
        ("shown_state", "percent"),
        (money_column("amount_micros", gettext_lazy("amount")), money_column("kept_micros", gettext_lazy("paid"))),
        (
            money_column("taken_back_micros", gettext_lazy("taken back")),
            money_column("owed_micros", gettext_lazy("of it owed")),
        ),
        ("created_at", "due_at", "closed_at"),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    @display(description=gettext_lazy("state"), ordering="state", label=CASHBACK_COLOURS)
    def shown_state(self, earning: CashbackEarning) -> tuple[str, str]:
        return earning.state, earning.get_state_display()
