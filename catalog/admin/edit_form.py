"""The form for editing many services at once: each field keeps what is there until something is chosen."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.typed_forms import AmountField, Form
from catalog.admin.rule_form import MAX_AMOUNT
from catalog.models import Category, Delivery
from catalog.models.services import MAX_MARKUP_PERCENT
from catalog.operations.service_edits import (
    PLACE_BACK,
    PLACE_PUT,
    PRICE_AMOUNT,
    PRICE_CLEAR,
    PRICE_MARKUP,
    PRICE_PERCENT,
    WARRANTY_CLEAR,
    WARRANTY_SET,
    Edit,
)
from upstream.money import micros_from_decimal

KEEP = ("", gettext_lazy("Keep as it is"))
SAME_AS_CATEGORY = "category"


class CategoryField(forms.ModelChoiceField):
    """A category by what customers call it; where they don't see it, that is said."""

    def label_from_instance(self, obj: Category) -> str:
        return obj.title if obj.visible else _("%(category)s (hidden)") % {"category": obj.title}


class EditForm(Form):
    """What to change of the services of a list."""

    visible = forms.ChoiceField(
        label=gettext_lazy("Visibility"),
        required=False,
        choices=(KEEP, ("show", gettext_lazy("Show to customers")), ("hide", gettext_lazy("Hide from customers"))),
        widget=UnfoldAdminSelectWidget,
    )
    place = forms.ChoiceField(
        label=gettext_lazy("Category"),
        required=False,
        choices=(
            KEEP,
            (PLACE_PUT, gettext_lazy("Another one of the shop's")),
            (PLACE_BACK, gettext_lazy("The one that upstream has them in")),
        ),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "Customers find them there, and the markup rules of that category are for them. What a rate is for and how "
            "a service is delivered stays as it is. Syncs leave them there."
        ),
    )
    category = CategoryField(
        label=gettext_lazy("Put into"),
        required=False,
        queryset=Category.objects.filter(merged_into=None),
        widget=UnfoldAdminSelectWidget,
    )
    price = forms.ChoiceField(
        label=gettext_lazy("Price"),
        required=False,
        choices=(
            KEEP,
            (PRICE_CLEAR, gettext_lazy("As the markup rules say: no price and no markup of its own")),
            (PRICE_MARKUP, gettext_lazy("A markup of its own: a percentage on what it costs each day")),
            (PRICE_PERCENT, gettext_lazy("Its own: today's cost plus a percentage")),
            (PRICE_AMOUNT, gettext_lazy("Its own: the same amount for all")),
        ),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "A service's own price stays when upstream's rate changes; its own markup follows it, and keeps the "
            "rounding and the floor of its category's rule."
        ),
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percentage on top of cost"),
        required=False,
        min_value=0,
        max_value=MAX_MARKUP_PERCENT,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget,
    )
    amount = AmountField(
        label=gettext_lazy("Amount, for as many pieces as the rate is for"),
        required=False,
        min_value=Decimal("0.000001"),
        max_value=MAX_AMOUNT,
        widget=UnfoldAdminTextInputWidget,
    )
    find = forms.CharField(
        label=gettext_lazy("Words in the name"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Upper and lower case are the same. The result becomes the display name."),
    )
    replacement = forms.CharField(
        label=gettext_lazy("What stands there instead"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Empty: the words are taken out."),
    )
    delivery = forms.ChoiceField(
        label=gettext_lazy("Delivery"),
        required=False,
        choices=(KEEP, (SAME_AS_CATEGORY, gettext_lazy("Same as its category")), *Delivery.choices),
        widget=UnfoldAdminSelectWidget,
    )
    warranty = forms.ChoiceField(
        label=gettext_lazy("Warranty of goods"),
        required=False,
        choices=(
            KEEP,
            (WARRANTY_CLEAR, gettext_lazy("As the title or the shop says")),
            (WARRANTY_SET, gettext_lazy("So many days:")),
        ),
        widget=UnfoldAdminSelectWidget,
    )
    warranty_days = forms.IntegerField(
        label=gettext_lazy("Warranty, days"),
        required=False,
        min_value=0,
        max_value=36_500,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("0: none."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for choice, chosen, field in (
            ("price", PRICE_PERCENT, "percent"),
            ("price", PRICE_MARKUP, "percent"),
            ("price", PRICE_AMOUNT, "amount"),
            ("warranty", WARRANTY_SET, "warranty_days"),
        ):
            if cleaned.get(choice) == chosen and cleaned.get(field) is None and field not in self.errors:
                self.add_error(field, _("Enter a number."))
        if cleaned.get("place") == PLACE_PUT and cleaned.get("category") is None and "category" not in self.errors:
            self.add_error("category", _("Choose a category."))
        if cleaned.get("replacement") and not cleaned.get("find"):
            self.add_error("find", _("Enter the words that are replaced."))
        if not self.errors and self.edit == Edit():
            self.add_error(None, _("Choose what to change."))
        return cleaned

    @property
    def edit(self) -> Edit:
        """What was chosen; for a form without errors."""
        chosen = self.cleaned_data
        price, warranty, delivery, place = (chosen[name] for name in ("price", "warranty", "delivery", "place"))
        return Edit(
            visible={"show": True, "hide": False}.get(chosen["visible"]),
            price=price,
            percent=str(chosen["percent"]) if price in (PRICE_PERCENT, PRICE_MARKUP) else "",
            amount_micros=micros_from_decimal(chosen["amount"]) if price == PRICE_AMOUNT else None,
            find=chosen["find"],
            replacement=chosen["replacement"] if chosen["find"] else "",
            delivery={"": None, SAME_AS_CATEGORY: ""}.get(delivery, delivery),
            warranty=warranty,
            warranty_days=chosen["warranty_days"] if warranty == WARRANTY_SET else None,
            place=place,
            category_id=chosen["category"].pk if place == PLACE_PUT else None,
        )
