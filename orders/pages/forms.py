"""What a customer types on the order pages: an order, and the filter of the order list."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from accounts.templatetags.money import money
from accounts.typed_forms import AsTypedField, FilterForm, Form, LinkField, QuantityField
from catalog.models import Delivery, OrderForm, Service
from catalog.pricing import PriceBook, price_book
from orders.lifecycle.coupons import CouponRefused, discount_for
from orders.lifecycle.discounts import Discount
from orders.models import FINISHED, OPEN, Order, OrderQuerySet
from orders.placing.check import check_amounts, check_link, check_orderable, check_quantity, read_link
from orders.placing.pay_first import Way, ways_to_pay
from orders.placing.quotes import PriceQuote, sign_quote
from orders.placing.refusals import OrderRefused, check_door
from orders.preferences import PRICE_HELD
from preferences.doors import ORDERS
from upstream.reading.amounts import typed_quantity
from upstream.reading.text import line, lines
from wallet.operations import wallet_of

# What the price depends on goes with every question for it.
PRICED_FIELDS = "#order-form [name=quantity], #order-form [name=coupon]"


def why_not_orderable(service: Service) -> str:
    """Return in words why nobody can order this service now, or nothing when it can be ordered."""
    return _refusal_of(check_door, ORDERS) or _refusal_of(check_orderable, service)


def _refusal_of(check: Callable[..., None], *args: Any, **kwargs: Any) -> str:
    try:
        check(*args, **kwargs)
    except OrderRefused as refusal:
        return str(refusal)
    return ""


@dataclass(frozen=True)
class PriceView:
    """What the page says about money: the rate, and for a quantity the price. Balance only for the signed in.

    `signed` is the signed promise of this price, for a customer and a quantity that can be ordered. `discount` is what
    a coupon takes off it; where it takes nothing, `coupon_problem` says why.
    """

    service: Service
    rate_micros: int
    quantity: int | None
    price_micros: int | None
    problem: str
    balance_micros: int | None
    signed: str = ""
    discount: Discount | None = None
    coupon_problem: str = ""

    @property
    def total_micros(self) -> int | None:
        """What the customer pays: the price, less what a coupon takes off."""
        return self.price_micros if self.discount is None else self.discount.net_micros

    @property
    def shown_total(self) -> str:
        """The total as it is written; nothing while it is not known."""
        return "" if self.total_micros is None else money(self.total_micros)

    @property
    def problem_of(self) -> str:
        """The field that `problem` is about."""
        return "comments" if self.service.order_form == OrderForm.COMMENTS else "quantity"

    @property
    def held_seconds(self) -> int:
        return int(PRICE_HELD.value.total_seconds())

    @property
    def held_minutes(self) -> int:
        return self.held_seconds // 60

    @property
    def missing_micros(self) -> int:
        """How much the balance is short of the total; 0 when it covers it or when one of them is not known."""
        if self.total_micros is None or self.balance_micros is None:
            return 0
        return max(0, self.total_micros - self.balance_micros)

    @property
    def ways(self) -> list[Way]:
        """How what is missing can be paid together with the order; none without a signed price."""
        return list(ways_to_pay(self.missing_micros)) if self.missing_micros and self.signed else []


def quote_for(
    service: Service, user: User | AnonymousUser, typed_quantity: str, *, typed_coupon: str = ""
) -> PriceView:
    """Quote the price of what is typed in the quantity field; words instead of a price where it cannot be ordered.

    A coupon is for customers: what it takes off, or why it takes nothing, is part of their quote.
    """
    book = price_book(user)
    quantity, problem = _read_quantity(service, typed_quantity, book)
    rate_micros = book.rate_micros(service)
    quote = PriceView(service, rate_micros, quantity, None, problem, None)
    # Without a certain rate unit a price is a promise to a customer; nobody else is shown a number that may be wrong.
    if quantity is not None and (service.rate_confirmed or isinstance(user, User)):
        quote = replace(quote, price_micros=book.price_micros(service, quantity))
    if not isinstance(user, User):
        return quote
    quote = replace(quote, balance_micros=wallet_of(user).balance_micros, signed=_promise(quote, user))
    if quantity is None or quote.price_micros is None or not line(typed_coupon):
        return quote
    floor_micros = book.floor_price_micros(service, quantity)
    try:
        discount = discount_for(
            user, typed_coupon, price_micros=quote.price_micros, floor_micros=floor_micros, now=timezone.now()
        )
    except CouponRefused as refusal:
        return replace(quote, coupon_problem=str(refusal))
    return replace(quote, discount=discount)


def _promise(quote: PriceView, user: User) -> str:
    """Return the price of this quote signed for this customer, or nothing where there is no price."""
    if quote.quantity is None or quote.price_micros is None:
        return ""
    promise = PriceQuote(
        user_id=user.pk,
        service_id=quote.service.pk,
        quantity=quote.quantity,
        price_micros=quote.price_micros,
        rate_micros=quote.rate_micros,
        rate_per=quote.service.rate_per,
        expires_at=timezone.now() + PRICE_HELD.value,
    )
    return sign_quote(promise)


def _read_quantity(service: Service, typed: str, book: PriceBook) -> tuple[int | None, str]:
    if not line(typed):
        return None, ""
    quantity = typed_quantity(typed)
    if quantity is None:
        return None, _("Enter a whole number.")
    field = "comments" if service.order_form == OrderForm.COMMENTS else "quantity"
    problem = _refusal_of(check_quantity, service, quantity, field=field)
    problem = problem or _refusal_of(check_amounts, service, quantity, book)
    return (None, problem) if problem else (quantity, "")


class PlaceOrderForm(Form):
    """One order of one service. Asks for what the service needs: quantity or comments, link or delivery address."""

    quantity = QuantityField(label=gettext_lazy("Quantity"), widget=forms.TextInput)
    comments = AsTypedField(
        label=gettext_lazy("Comments, one per line"),
        widget=forms.Textarea(
            attrs={"rows": 8, "data-counts-lines": "#quantity-of-comments", "data-answered-by": "#quote"}
        ),
    )
    link = LinkField(max_length=2000)
    again = forms.BooleanField(label=gettext_lazy("Order it again anyway"), required=False)
    quote = forms.Field(required=False, widget=forms.HiddenInput)  # any text: its signature says whether it is ours
    coupon = forms.CharField(label=gettext_lazy("Coupon"), max_length=40, required=False)
    seen = forms.Field(required=False, widget=forms.HiddenInput)  # what the page said is left to pay with the coupon
    request_id = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), initial=uuid.uuid4)

    def __init__(self, *args: Any, service: Service, user: User | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        self.user = user
        self.similar: Order | None = None
        self.note = ""  # what the page says first, and no error
        self.unseen = False  # the price, or what a coupon takes off it, has not been on the page yet
        if service.order_form == OrderForm.COMMENTS:
            del self.fields["quantity"]
            self.fields["comments"].help_text = self._limits()
            self.fields["comments"].error_messages["required"] = _("Enter at least one comment.")
        else:
            del self.fields["comments"]
            self._fill_in_quantity()
        if service.delivery == Delivery.VAULT:
            del self.fields["link"]
        else:
            self._fill_in_link()
        self._fill_in_coupon()

    def _limits(self) -> str:
        return _("From %(minimum)s to %(maximum)s.") % {
            "minimum": number_format(self.service.min_quantity, force_grouping=True),
            "maximum": number_format(self.service.max_orderable, force_grouping=True),
        }

    def _fill_in_quantity(self) -> None:
        field = self.fields["quantity"]
        field.help_text = self._limits()
        field.error_messages.update(required=_("Enter a quantity."), invalid=_("Enter a whole number."))
        field.widget.attrs["inputmode"] = "numeric"  # a number field of a browser takes no `1 000`
        self._quote_as_typed("quantity")

    def _fill_in_coupon(self) -> None:
        self.fields["coupon"].widget.attrs.update({"autocapitalize": "characters", "spellcheck": "false"})
        self._quote_as_typed("coupon")

    def _quote_as_typed(self, name: str) -> None:
        """Let the price follow what is typed: same address, only the quote comes back."""
        self.fields[name].widget.attrs.update(
            {
                "autocomplete": "off",
                "data-answered-by": "#quote",  # it says what is still wrong: static/js/errors.js
                "hx-get": reverse("orders:place", args=[self.service.pk]),
                "hx-trigger": "input changed delay:250ms, typed-before",
                "hx-include": PRICED_FIELDS,
                "hx-target": "#quote",
                "hx-swap": "outerHTML",
                "hx-sync": "closest form:replace",
            }
        )

    def _fill_in_link(self) -> None:
        field = self.fields["link"]
        if self.service.delivery == Delivery.EMAIL:
            field.label = _("Delivery email")
            field.help_text = _("We'll send the goods to this address.")
            field.widget = forms.EmailInput(attrs={"autocomplete": "email"})
            field.error_messages["required"] = _("Enter the email address to deliver to.")
            field.initial = getattr(self.user, "email", "")
        else:
            field.label = _("Link")
            field.help_text = _("Link to the page or post. It must be public.")
            field.widget = forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "url"})
            field.error_messages["required"] = _("Enter the link to your page or post.")

    @property
    def typed_quantity(self) -> str:
        """The quantity as it stands in the form, for the quote beside it: typed, or counted in comments."""
        if "comments" in self.fields:
            return str(len(lines(self["comments"].value() or "")) or "")
        value = self["quantity"].value()
        return "" if value is None else str(value)

    @property
    def typed_coupon(self) -> str:
        """The coupon as it stands in the form."""
        return str(self["coupon"].value() or "")

    @property
    def asks_again(self) -> bool:
        """Whether the customer has to confirm a second open order for the same link."""
        return self.similar is not None or bool(self.is_bound and self["again"].value())

    def clean_quantity(self) -> int:
        quantity = self.cleaned_data["quantity"]
        self._check(check_quantity, quantity, field="quantity")
        return quantity

    def clean_comments(self) -> str:
        comments = lines(self.cleaned_data["comments"])
        self._check(check_quantity, len(comments), field="comments")
        return "\n".join(comments)

    def clean_link(self) -> str:
        link = read_link(self.service, self.cleaned_data["link"])
        self._check(check_link, link)
        return link

    def _check(self, check: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        if refusal := _refusal_of(check, self.service, *args, **kwargs):
            raise ValidationError(refusal)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if refusal := why_not_orderable(self.service):
            raise ValidationError(refusal)
        if not cleaned.get("again") and "link" in cleaned and "request_id" in cleaned:
            self.similar = self._similar_order(cleaned["link"], cleaned["request_id"])
            if self.similar:
                self.add_error("again", _("Check this box if you want a second order for the same link."))
        return cleaned

    def _similar_order(self, link: str, request_id: uuid.UUID) -> Order | None:
        """The customer's newest open order for this service and link, other than the one this form has placed.

        Two orders at once for one link spoil each other's count. Two orders for one delivery address do not.
        """
        if self.service.delivery != Delivery.LINK or not isinstance(self.user, User):
            return None
        bare = link.rstrip("/")
        same = self.user.orders.open().filter(service=self.service, link__in=[bare, f"{bare}/"])
        return same.exclude(checkout__request_id=str(request_id)).newest_first().first()

    def order(self) -> dict[str, Any]:
        """Return what `place_order` needs, from a valid form."""
        seen = str(self.cleaned_data["seen"] or "")
        return {
            "quantity": self.cleaned_data.get("quantity"),
            "link": self.cleaned_data.get("link", ""),
            "comments": self.cleaned_data.get("comments", ""),
            "quote": self.cleaned_data["quote"] or "",
            "coupon": self.cleaned_data["coupon"],
            "seen_micros": int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0,
            "request_id": str(self.cleaned_data["request_id"]),
        }

    def renew(self) -> None:
        """Give the form an identity of its own again, after the old one turned out to be used up."""
        self.data = {**{name: self.data.get(name) for name in self.data}, "request_id": str(uuid.uuid4())}

    def refuse(self, field: str, message: str) -> None:
        """Show a refusal of `place_order` beside the field it names, or above the form."""
        self.add_error(field if field in self.fields else None, message)


class OrderFilterForm(FilterForm):
    """Which of their orders a customer wants to see. Nonsense in the address means: no filter."""

    class Group(models.TextChoices):
        ALL = "", gettext_lazy("All")
        OPEN = "open", gettext_lazy("In progress")
        FINISHED = "finished", pgettext_lazy("orders", "Finished")
        REFUNDED = "refunded", pgettext_lazy("orders", "Refunded")

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=200)
    group = forms.ChoiceField(choices=Group.choices, required=False)

    @property
    def words(self) -> str:
        """What is searched for."""
        self.is_valid()
        return str(self.cleaned_data.get("q", ""))

    def narrow(self, orders: OrderQuerySet, *, alike: bool = False) -> OrderQuerySet:
        """Return those of `orders` that the filter asks for; `alike`: by what their services look like."""
        self.is_valid()
        group = self.cleaned_data.get("group", "")
        if group == self.Group.OPEN:
            orders = orders.filter(status__in=OPEN)
        elif group == self.Group.FINISHED:
            orders = orders.filter(status__in=FINISHED)
        elif group == self.Group.REFUNDED:
            orders = orders.filter(refunded_micros__gt=0)
        return orders.of_services_like(self.words) if alike else orders.matching(self.words)
