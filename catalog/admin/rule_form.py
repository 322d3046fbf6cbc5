"""The form of a markup rule: what it would change is counted before it is saved, and a loss is refused."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.typed_forms import ModelForm
from catalog.admin.previewed import PreviewedForm
from catalog.models import MarkupRule
from catalog.pricing.previews import Effect, preview_rule
from catalog.pricing.rules import Rule
from upstream.money import MICROS, text_from_micros

SHOWN_UNASKED_ABOVE = 100  # changed prices: a save of more than that is shown first
MAX_AMOUNT = 1_000_000  # of the store's currency; what a rate comes to per 1,000 pieces still fits its column
TARGETS = ("category", "subcategory", "service")


class CheckedRuleForm(ModelForm):
    """A markup rule of any goods and the one thing it is for; what its scope does not name is cleared, not refused."""

    targets: tuple[str, ...]

    def clean_fixed_micros(self) -> int:
        fixed_micros: int = self.cleaned_data["fixed_micros"]
        if abs(fixed_micros) > MAX_AMOUNT * MICROS:
            raise ValidationError(_("Enter a number between -%(maximum)d and %(maximum)d.") % {"maximum": MAX_AMOUNT})
        return fixed_micros

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._check_target(cleaned)
        self._check_validity(cleaned)
        self._check_signs(cleaned)
        return cleaned

    def _post_clean(self) -> None:
        """Look at the effects last, when the model has checked every value too."""
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        if not self.errors:
            self._check_effects()

    def _check_effects(self) -> None:
        """Refuse what would sell below cost."""
        raise NotImplementedError

    def _check_target(self, cleaned: dict[str, Any]) -> None:
        scope = cleaned.get("scope")
        for target in self.targets:
            if target != scope:
                cleaned[target] = None
                self.errors.pop(target, None)
            elif cleaned.get(target) is None and target not in self.errors:
                self.add_error(target, _("Choose what the rule applies to."))

    def _check_validity(self, cleaned: dict[str, Any]) -> None:
        if {"scope", "valid_from", "valid_until"} - cleaned.keys() or self.errors:
            return
        begins, ends = cleaned["valid_from"], cleaned["valid_until"]
        if begins is not None and ends is not None and begins >= ends:
            self.add_error("valid_until", _("The rule must end after it starts."))
        if begins is None and ends is None:
            same = {"scope": cleaned["scope"], **{target: cleaned[target] for target in self.targets}}
            others = self._meta.model.objects.filter(**same, valid_from=None, valid_until=None).exclude(
                pk=self.instance.pk
            )
            if others.exists():
                field = cleaned["scope"] if cleaned["scope"] in self.targets else "scope"
                self.add_error(
                    field,
                    _("A permanent rule for this already exists. Edit that one, or set a start or end for this one."),
                )

    def _check_signs(self, cleaned: dict[str, Any]) -> None:
        percent, fixed_micros = cleaned.get("percent"), cleaned.get("fixed_micros")
        if percent is None or fixed_micros is None:
            return
        if percent < 0 and fixed_micros <= 0:
            self.add_error("percent", _("Can be negative only if a fixed amount makes up for it."))
        elif fixed_micros < 0 and percent <= 0:
            self.add_error("fixed_micros", _("Can be negative only if a percentage makes up for it."))


class MarkupRuleForm(CheckedRuleForm, PreviewedForm):
    """A rule of the catalog."""

    targets = TARGETS
    effects: list[Effect]

    class Meta:
        model = MarkupRule
        fields = (
            *("scope", "category", "subcategory", "service", "percent", "fixed_micros"),
            *("floor_percent", "rounding", "valid_from", "valid_until"),
        )
        help_texts = {
            "scope": gettext_lazy(
                "The most specific rule applies: service, then subcategory, category, everything. A "
                "service's rate override takes priority over all of them."
            ),
            "percent": gettext_lazy(
                "Added to the upstream rate. Can be negative only if a fixed amount makes up for it."
            ),
            "fixed_micros": gettext_lazy(
                "Added after the percentage; same unit as the upstream rate. Can be negative only if the "
                "percentage makes up for it."
            ),
            "floor_percent": gettext_lazy(
                "No price falls below cost plus this margin, whatever the markup and the group discount. "
                "Empty: the shop's floor margin."
            ),
            "rounding": gettext_lazy(
                "Always rounds up, after the markup and before any group discount: the rate per 1,000 or "
                "per piece, depending on the rate unit."
            ),
            "valid_from": gettext_lazy("Empty: starts at once."),
            "valid_until": gettext_lazy(
                "Empty: no end date. A rule with a start or end overrides the permanent one for the same target."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.effects = []

    def _check_effects(self) -> None:
        candidate = Rule.of(self.instance)
        self.effects = preview_rule(candidate, now=timezone.now())
        worst = max(self.effects, key=lambda effect: effect.below_cost)
        if worst.below_cost:
            self.add_error(None, _refusal(worst))
        many = max(effect.changed for effect in self.effects) > SHOWN_UNASKED_ABOVE
        self.show_first(candidate[:-1], many=many)


def _refusal(effect: Effect) -> ValidationError:
    """Name the services that the rule would sell below cost, the worst first, and count them."""
    head = ngettext(
        "%(count)d service would be sold below cost:", "%(count)d services would be sold below cost:", effect.below_cost
    )
    line = _("#%(id)d %(name)s: costs %(cost)s, would sell at %(rate)s.")
    lines = [
        line
        % {
            "id": loss.upstream_id,
            "name": loss.name,
            "cost": text_from_micros(loss.before_micros),
            "rate": text_from_micros(loss.after_micros),
        }
        for loss in effect.losses
    ]
    left = effect.below_cost - len(lines)
    more = [ngettext("And %(count)d more.", "And %(count)d more.", left) % {"count": left}] if left else []
    return ValidationError([head % {"count": effect.below_cost}, *lines, *more])
