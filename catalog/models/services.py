"""Services: a copy of what upstream says, with what the admin decided on top of it."""

from collections.abc import Collection
from functools import lru_cache

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models.categories import Category, Delivery, RateUnit, Subcategory
from catalog.models.translated import TranslatedName, name_language, shown_name
from catalog.preferences import UNCONFIRMED_MAX_COST
from upstream.reading.text import comparable, words_of

MAX_MARKUP_PERCENT = 10_000  # of a service's own


class OrderForm(models.TextChoices):
    """How a service is ordered; upstream's free `type` word is mapped to one of these."""

    QUANTITY = "quantity", _("Quantity")
    COMMENTS = "comments", _("Custom comments, one per line")
    UNKNOWN = "unknown", _("Can't be ordered: unknown type")


ORDER_FORM_BY_TYPE = {"default": OrderForm.QUANTITY, "custom comments": OrderForm.COMMENTS}


@lru_cache(maxsize=1024)
def order_form_of(upstream_type: str, mapped_form: str = "") -> OrderForm:
    """Return how services of this type are ordered; `mapped_form` is what staff said of a type that we don't know."""
    return ORDER_FORM_BY_TYPE.get(comparable(upstream_type)) or OrderForm(mapped_form or OrderForm.UNKNOWN)


class ServiceQuerySet(models.QuerySet["Service"]):
    def on_sale_in_any_category(self) -> "ServiceQuerySet":
        return self.filter(withdrawn_at=None, visible=True)

    def shown(self) -> "ServiceQuerySet":
        """Services that have a page: not hidden, in a category that is shown; withdrawn ones say so on theirs."""
        category_is_shown = Q(category__merged_into=None) | Q(category__merged_into__visible=True)
        return self.filter(category_is_shown, category__visible=True, visible=True)

    def on_sale(self) -> "ServiceQuerySet":
        """Services that customers see in lists: those shown that are not withdrawn."""
        return self.shown().filter(withdrawn_at=None)

    def with_price(self) -> "ServiceQuerySet":
        """Services whose price can be told: it is certain how many pieces the rate buys."""
        confirmed = Q(upstream_category=None, category__rate_confirmed_at__isnull=False)
        confirmed |= Q(upstream_category__rate_confirmed_at__isnull=False)
        return self.filter(Q(rate_per_override__isnull=False) | confirmed)

    def matching(self, words: str) -> "ServiceQuerySet":
        """Services whose name, category or subcategory contain every word, in any order, as it looks."""
        found = self
        for word in words_of(words)[:10]:
            found = found.filter(search_text__contains=word)
        return found


def of_home(categories: Collection[int], of: str = "") -> Q:
    """Return the condition that upstream has a service in one of these categories, wherever staff has put it.

    `of` leads from the filtered rows to the service, like "service__".
    """
    here = Q(**{f"{of}category__in": categories, f"{of}upstream_category__isnull": True})
    return here | Q(**{f"{of}upstream_category__isnull": False, f"{of}upstream_category__in": categories})


def home_id(of: str = "") -> Coalesce:
    """Return the id of the category where upstream has a service, whatever staff has done with it; `of` as above."""
    return Coalesce(f"{of}upstream_category_id", f"{of}category_id")


# Where upstream has a service: columns for `values_list` and filters.
UPSTREAM_CATEGORY_ID = home_id()
UPSTREAM_SUBCATEGORY_ID = Case(
    When(upstream_category=None, then=F("subcategory_id")), default=F("upstream_subcategory_id")
)
MOVED_TO_ID = Case(When(upstream_category__isnull=False, then=F("category_id")))  # where staff has put it

# Stands for the speed of services of which nothing is known: they come last where the fastest come first.
NEVER_MEASURED = 2**31 - 1

# What a list sorted by name compares; the index below is over exactly this.
SHOWN_TITLE = Lower(Coalesce(NullIf("display_name", Value("")), "name"))
HAS_STOCK = Q(stock=None) | Q(stock__gte=F("min_quantity"), stock__gt=0)


class Service(TranslatedName):
    """One service as upstream sells it. Withdrawn when upstream stops offering it, never deleted."""

    upstream_id = models.BigIntegerField(_("upstream ID"), unique=True)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="services", verbose_name=_("category")
    )
    subcategory = models.ForeignKey(
        Subcategory,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="services",
        verbose_name=_("subcategory"),
    )
    # Where upstream has it, of a service that staff has put into another category; of all others it is there.
    upstream_category = models.ForeignKey(
        Category,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("upstream category"),
    )
    upstream_subcategory = models.ForeignKey(
        Subcategory,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("upstream subcategory"),
    )
    name = models.CharField(_("upstream name"), max_length=500)
    type = models.CharField(_("upstream type"), max_length=100)
    # What staff said its type means, where we don't know it; kept by `catalog.sync.service_types`.
    mapped_form = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    rate_upstream_micros = MicrosField(_("upstream rate"), validators=[MinValueValidator(0)])
    min_quantity = models.BigIntegerField(_("minimum"))
    max_quantity = models.BigIntegerField(_("maximum"))
    refill = models.BooleanField(_("refill"), default=False)
    cancel = models.BooleanField(_("cancel"), default=False)
    stock = models.BigIntegerField(_("stock"), null=True, blank=True, help_text=_("Empty: unlimited."))
    upstream_description = models.TextField(_("upstream description"), blank=True)
    search_text = models.TextField(editable=False, default="")

    display_name = models.CharField(_("display name"), max_length=500, blank=True)
    description = models.TextField(_("description"), blank=True)
    visible = models.BooleanField(_("visible"), default=True)
    left_out = models.BooleanField(default=False, db_default=False, editable=False)  # hidden by an import rule
    position = models.IntegerField(_("position"), default=0, help_text=_("Lower numbers come first."))
    delivery_override = models.CharField(
        _("delivery"), max_length=8, choices=Delivery, blank=True, help_text=_("Empty: same as its category.")
    )
    rate_per_override = models.PositiveSmallIntegerField(
        _("rate unit"), choices=RateUnit, null=True, blank=True, help_text=_("Empty: same as its category.")
    )
    rate_override_micros = MicrosField(
        _("rate override"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Selling rate used instead of the markup; same unit as the upstream rate."),
    )
    markup_percent = models.DecimalField(
        _("own markup, %"),
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_MARKUP_PERCENT)],
        help_text=_("Added to today's cost instead of the rules of its category. Empty: those rules count."),
    )
    paused_because = models.CharField(
        _("pause reason"), max_length=300, blank=True, help_text=_("If filled in, the service is shown but not sold.")
    )

    # What a visitor without a group pays, as the rules were when `reprice_services` or a sync last wrote it. For lists,
    # sorting and filters; money is only ever taken at what the price book says.
    selling_rate_micros = MicrosField(_("selling rate"), default=0, editable=False)
    selling_per_thousand_micros = MicrosField(_("selling rate per 1,000"), default=0, editable=False)
    bought_lately = models.PositiveIntegerField(_("orders in the last 30 days"), default=0, editable=False)

    # The two figures of `ServiceQuality` that lists show and sort by, so that they need no second table.
    done_seconds = models.PositiveIntegerField(default=NEVER_MEASURED, db_default=NEVER_MEASURED, editable=False)
    completed_percent = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    # What staff says instead of what `catalog.titles` reads from the title.
    short_title_override = models.CharField(
        _("short name"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("Shown in lists and on its page instead of the title. Empty: as read from the title."),
    )
    warranty_days = models.PositiveIntegerField(
        _("warranty, days"), null=True, blank=True, validators=[MaxValueValidator(36_500)]
    )
    facts_override = models.JSONField(_("facts"), default=dict, db_default={}, blank=True)
    # What the title says, as a sync or `catalog.operations.titles` last read it; facts with staff's corrections.
    short_title = models.CharField(max_length=500, blank=True, default="", db_default="", editable=False)
    short_titles = models.JSONField(default=dict, db_default={}, blank=True, editable=False)  # by language
    facts = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    # Of these, what lists are narrowed by (`catalog.titles.facts.FactColumns`).
    qualities = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    country = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    covered_days = models.PositiveIntegerField(null=True, blank=True, editable=False)
    speed_per_day = models.BigIntegerField(null=True, blank=True, editable=False)

    missed_syncs = models.PositiveSmallIntegerField(_("missed syncs"), default=0)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("service")
        verbose_name_plural = _("services")
        indexes = [
            models.Index(fields=["category", "position", "id"], condition=Q(withdrawn_at=None), name="service_listing"),
            models.Index(
                fields=["subcategory", "position", "id"], condition=Q(withdrawn_at=None), name="service_sub_listing"
            ),
            # One for each order a list of everything, or of what a search found, may stand in.
            models.Index(fields=["position", "id"], condition=Q(withdrawn_at=None), name="service_in_order"),
            models.Index(fields=["position", "id"], name="service_in_order_for_staff"),  # with those withdrawn
            models.Index(
                fields=["selling_per_thousand_micros", "id"], condition=Q(withdrawn_at=None), name="service_by_price"
            ),
            models.Index(fields=["bought_lately", "id"], condition=Q(withdrawn_at=None), name="service_by_purchases"),
            models.Index(fields=["done_seconds", "id"], condition=Q(withdrawn_at=None), name="service_by_speed"),
            models.Index(SHOWN_TITLE, "id", condition=Q(withdrawn_at=None), name="service_by_title"),
            # Counts beside the filters by facts are read from this one alone.
            models.Index(
                fields=["category", "qualities", "country", "covered_days", "speed_per_day"],
                condition=Q(withdrawn_at=None, visible=True),
                name="service_by_facts",
            ),
            models.Index(
                fields=["upstream_category"],
                condition=Q(upstream_category__isnull=False),
                name="service_moved_by_staff",
            ),
            models.Index(
                fields=["country", "position", "id"], condition=Q(withdrawn_at=None), name="service_by_country"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What readers see: the shop's own name, else the one in their language, else the English one."""
        return shown_name(self.translated_names, self.name, own=self.display_name)

    @property
    def short_name(self) -> str:
        """What lists and its own page call it: the shop's own name, else the title without its facts."""
        own = self.short_title_override or self.display_name
        if own:
            return own
        language = name_language()
        if language and language in self.translated_names:
            return str(self.short_titles.get(language) or self.translated_names[language])
        return self.short_title or self.name

    @property
    def full_title(self) -> str:
        """What readers see of it in an order."""
        return self.title

    @property
    def sold_title(self) -> str:
        """What orders are recorded under, whoever reads them: the shop's own name, else the English one."""
        return self.display_name or self.name

    @property
    def home_category(self) -> Category:
        """Where upstream has it: the category that says what its rate buys and how it is delivered."""
        return (self.upstream_category if self.upstream_category_id else None) or self.category

    @property
    def home_category_id(self) -> int:
        """Its id, which needs no look at the category."""
        return self.upstream_category_id or self.category_id

    @property
    def delivery(self) -> str:
        """LINK, VAULT or EMAIL; needs the category loaded."""
        chosen = self.delivery_override or self.home_category.delivery
        return str(settings.GOODS_DELIVERY) if chosen == Delivery.GOODS else chosen

    @property
    def rate_per(self) -> int:
        return self.rate_per_override or self.home_category.rate_per or settings.DEFAULT_RATE_PER

    @property
    def order_form(self) -> OrderForm:
        return order_form_of(self.type, self.mapped_form)

    @property
    def sold_out(self) -> bool:
        return self.stock == 0

    @property
    def rate_confirmed(self) -> bool:
        """Whether it is certain how many pieces the rate buys: staff said so, or a real charge proved it."""
        return self.rate_per_override is not None or self.home_category.rate_confirmed_at is not None

    @property
    def max_unconfirmed(self) -> int | None:
        """The largest order that costs little even if the rate buys one piece only; None: no need for such care."""
        if self.rate_confirmed or self.rate_upstream_micros == 0:
            return None
        return UNCONFIRMED_MAX_COST.value // self.rate_upstream_micros

    @property
    def too_uncertain(self) -> bool:
        """Whether even the smallest order could cost too much while the rate's unit is not confirmed."""
        limit = self.max_unconfirmed
        return limit is not None and limit < self.min_quantity

    @property
    def max_orderable(self) -> int:
        """The largest quantity one order can have now: the maximum, what is in stock, or what a wrong unit can cost."""
        limits = (self.max_quantity, self.stock, self.max_unconfirmed)
        return min(limit for limit in limits if limit is not None)

    @property
    def orderable(self) -> bool:
        """Whether an order would be accepted right now; needs the category loaded."""
        return (
            self.withdrawn_at is None
            and self.visible
            and self.category.visible
            and not self.paused_because
            and self.order_form != OrderForm.UNKNOWN
            and self.max_orderable >= self.min_quantity
            and not self.sold_out
        )
