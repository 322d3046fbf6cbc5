"""The rules that answer first: each is switched, timed and worded on a page of its own."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import EditOnlyAdmin
from support.admin.texts import TextsForm, field_of
from support.first_answers.moments_in_text import in_words, keep_moment
from support.first_answers.rules import RULES, Rule
from support.first_answers.shares import shares_of_rules
from support.models import FirstAnswerRule

LONGEST_HOURS = 24 * 365
TEXTS = tuple(field_of(code) for code, _name in settings.LANGUAGES)


class FirstAnswerForm(TextsForm):
    class Meta:
        model = FirstAnswerRule
        fields = ("active", "hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.rule
        self.names = rule.names
        placeholders = " ".join(f"{{{name}}}" for name in rule.names)
        for code, _name in settings.LANGUAGES:
            text = gettext_lazy("If empty: %(text)s Placeholders: %(names)s")
            self.fields[field_of(code)].help_text = text % {"text": self.shipped(code), "names": placeholders}
        if "hours" in self.fields:
            if rule.hours is None:
                del self.fields["hours"]
            else:
                hours: Any = self.fields["hours"]
                hours.required, hours.help_text = True, rule.hours_help
                hours.min_value, hours.max_value = 1, LONGEST_HOURS

    @property
    def rule(self) -> Rule:
        """What ships of this rule."""
        return RULES[self.instance.code]

    def shipped(self, language: str) -> str:
        with translation.override(language):
            return str(self.rule.text)

    def clean_hours(self) -> int:
        """Refuse hours that are none, and more than a year of them."""
        hours = self.cleaned_data["hours"]
        if hours is None or not 1 <= hours <= LONGEST_HOURS:
            raise forms.ValidationError(gettext_lazy("Enter 1 to %(most)d hours."), params={"most": LONGEST_HOURS})
        return int(hours)

    def samples(self) -> Mapping[str, str]:
        moment = in_words(keep_moment(timezone.now()))
        moments = ("by", "placed", "asked", "done", "ended", "until", "refunded")
        return {
            **dict.fromkeys(moments, moment),
            "most": "4 h",
            "passed": "9 h",
            "days": "30",
            "order": "#1024",
            "quantity": "1,000",
            "amount": "$1.20",
            "reference": "K7QX2MWTR4AB",
            "outcome": "…",
            "estimate": "…",
            "awaited": "…",
            **({"done": "600"} if self.rule.code == "partial_refunded" else {}),
        }


@admin.register(FirstAnswerRule)
class FirstAnswerAdmin(EditOnlyAdmin):
    """Rules come with the shop: there is nothing to add or delete."""

    form = FirstAnswerForm
    list_display = ("title", "active", "hours", "settled", "updated_at")
    list_display_links = ("title",)
    list_per_page = 100
    fields = ("title", "about", "active", "hours", *TEXTS)
    readonly_fields = ("title", "about")
    named_by = ("code",)
    change_form_before_template = "admin/support/text_preview.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FirstAnswerRule]:
        """Leave out rows of rules that this version of the shop does not have."""
        return super().get_queryset(request).filter(code__in=RULES)

    def get_fields(self, request: HttpRequest, obj: FirstAnswerRule | None = None) -> Any:
        """Show hours only where a length matters."""
        timed = obj is not None and obj.code in RULES and RULES[obj.code].hours is not None
        return [name for name in self.fields or () if name != "hours" or timed]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self._settled = shares_of_rules(now=timezone.now()).by_rule
        return super().changelist_view(request, extra_context)

    @display(description=gettext_lazy("rule"), ordering="code")
    def title(self, row: FirstAnswerRule) -> str:
        return str(RULES[row.code].title)

    @display(description=gettext_lazy("answers"))
    def about(self, row: FirstAnswerRule) -> str:
        return str(RULES[row.code].about)

    @display(description=gettext_lazy("settled alone in 30 days"))
    def settled(self, row: FirstAnswerRule) -> int:
        return self._settled.get(row.code, 0)
