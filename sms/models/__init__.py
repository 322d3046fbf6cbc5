"""SMS numbers: where they can be had, what they cost, and the number behind an order; tables by subject."""

from sms.models.former import FormerKey
from sms.models.numbers import Number, NumberLimit, ReplacementRule
from sms.models.places import Country, ForbiddenWord, Project, ProjectQuerySet, Site
from sms.models.selling import NumberMarkupRule, SuccessRate

__all__ = [
    "Country",
    "ForbiddenWord",
    "FormerKey",
    "Number",
    "NumberLimit",
    "NumberMarkupRule",
    "Project",
    "ProjectQuerySet",
    "ReplacementRule",
    "Site",
    "SuccessRate",
]
