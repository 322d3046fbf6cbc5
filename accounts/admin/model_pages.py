"""Which page of a model an address is of, and which actions the model's pages offer."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def is_list(pages: ModelAdmin, request: HttpRequest) -> bool:
    """Whether the list of the model's rows is asked for."""
    match = request.resolver_match
    return match is not None and match.url_name == f"{pages.opts.app_label}_{pages.opts.model_name}_changelist"


def offered_actions(pages: ModelAdmin) -> list[Any]:
    """Return the theme's actions that have an address of their own: of the list, of a row, of a row in the list."""
    return [*pages._get_base_actions_list(), *pages._get_base_actions_detail(), *pages._get_base_actions_row()]
