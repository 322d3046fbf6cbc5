"""Markup rules of numbers: validated like those of the catalog, and never below cost."""

from decimal import Decimal

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from accounts.admin.widgets import ModelAdmin, money_column
from catalog.admin.rule_form import CheckedRuleForm
from catalog.admin.rules import validity_in_words
from catalog.pricing import exchange_rate_micros, make_formula
from sms.models import NumberMarkupRule, Project, ProjectQuerySet
from sms.pricing import Place, choose_markups, markup_of
from upstream.money import text_from_micros

TARGETS = ("country", "site", "project")
SHOWN_LOSSES = 20
NOTHING = Decimal(0)


class NumberMarkupRuleForm(CheckedRuleForm):
    """A rule of numbers and the one thing it is for."""

    targets = TARGETS

    class Meta:
        model = NumberMarkupRule
        fields = (
            *("scope", *TARGETS, "percent", "fixed_micros"),
            *("floor_percent", "rounding", "valid_from", "valid_until"),
        )
        help_texts = {
            "scope": gettext_lazy(
                "The most specific rule applies: one website or app in one country, then the website or "
                "app, the country, all numbers. If there is none, the shop's general markup rule applies."
            ),
            "percent": gettext_lazy(
                "Added to the upstream price of one number. Can be negative only if a fixed amount makes up for it."
            ),
        }

    def _check_effects(self) -> None:
        """Refuse a rule whose markup alone would sell a number below cost; without a loss the floor is never needed."""
        now = timezone.now()
        moment = max(now, self.instance.valid_from or now)
        others = NumberMarkupRule.objects.exclude(pk=self.instance.pk)
        chosen, ours = choose_markups([*others, self.instance], now=moment), markup_of(self.instance)
        rate = exchange_rate_micros(moment)
        formula = make_formula(ours, exchange_rate_micros=rate, discount_percent=NOTHING, floor_percent=NOTHING)
        columns = self._meant().values_list("pk", "site_id", "country_id", "price_upstream_micros")
        losing = [
            place
            for place in (Place(*row) for row in columns.order_by("-price_upstream_micros").iterator())
            if chosen.of(**place.ids) == ours and formula.loses(place.cost_micros)
        ]
        if losing:
            costs = {place.project_id: formula.cost_micros(place.cost_micros) for place in losing}
            self.add_error(None, _refusal(costs))

    def _meant(self) -> ProjectQuerySet:
        projects = Project.objects.on_sale()
        rule = self.instance
        if rule.project_id is not None:
            return projects.filter(pk=rule.project_id)
        if rule.site_id is not None:
            return projects.filter(site=rule.site_id)
        return projects if rule.country_id is None else projects.filter(country=rule.country_id)


def _refusal(costs: dict[int, int]) -> ValidationError:
    """Name projects that the rule would sell below cost, and count them; `costs` are in store micros."""
    count = len(costs)
    head = ngettext(
        "%(count)d SMS project would be sold below cost:",
        "%(count)d SMS projects would be sold below cost:",
        count,
    )
    named = Project.objects.select_related("country").in_bulk(list(costs)[:SHOWN_LOSSES])
    lines = [
        _("%(name)s: costs %(cost)s.") % {"name": project, "cost": text_from_micros(costs[pk])}
        for pk, project in named.items()
    ]
    left = count - len(lines)
    more = [ngettext("And %(count)d more.", "And %(count)d more.", left) % {"count": left}] if left else []
    return ValidationError([head % {"count": count}, *lines, *more])


@admin.register(NumberMarkupRule)
class NumberMarkupRuleAdmin(ModelAdmin):
    form = NumberMarkupRuleForm
    list_display = (
        "target",
        "scope",
        "percent",
        money_column("fixed_micros", gettext_lazy("fixed amount")),
        "floor_percent",
        "rounding",
        "validity",
    )
    list_filter = ("scope", "valid_from", "valid_until")
    list_select_related = ("country", "site", "project__country")
    search_fields = ("country__search_text", "site__search_text", "project__search_text")
    autocomplete_fields = TARGETS
    ordering = ("scope", "id")
    conditional_fields = {target: f"scope == '{target}'" for target in TARGETS}
    fieldsets = (
        (gettext_lazy("Applies to"), {"fields": ("scope", *TARGETS)}),
        (gettext_lazy("Price"), {"fields": (("percent", "fixed_micros"), ("rounding", "floor_percent"))}),
        (gettext_lazy("When it applies"), {"fields": ("valid_from", "valid_until")}),
    )

    @display(description=gettext_lazy("applies to"))
    def target(self, rule: NumberMarkupRule) -> str:
        return str(rule.project or rule.site or rule.country or rule.get_scope_display())

    @display(description=gettext_lazy("in effect"))
    def validity(self, rule: NumberMarkupRule) -> str:
        return validity_in_words(rule)
