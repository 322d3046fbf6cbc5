"""What changes numbers. `sms.supply` speaks to upstream about them, `sms.sync` copies where they can be had."""

from sms.operations.at_rest import reencrypt_codes, seal_codes
from sms.operations.buy import MAX_AT_ONCE, buy_numbers
from sms.operations.cancel import cancel_number
from sms.operations.replace import CodeHasCome, can_be_replaced, replace_number
from sms.operations.replacement_candidates import ReplacementCandidate, best_candidate, candidates_for
from sms.operations.replacement_rules import (
    MAX_REPLACEMENTS,
    ReplacementRequest,
    drop_replacement_rule,
    set_replacement_rule,
)
from sms.operations.retention import wipe_contents
from sms.operations.sweep import replace_due_numbers

__all__ = [
    "MAX_AT_ONCE",
    "MAX_REPLACEMENTS",
    "CodeHasCome",
    "ReplacementCandidate",
    "ReplacementRequest",
    "best_candidate",
    "buy_numbers",
    "can_be_replaced",
    "cancel_number",
    "candidates_for",
    "drop_replacement_rule",
    "reencrypt_codes",
    "replace_due_numbers",
    "replace_number",
    "seal_codes",
    "set_replacement_rule",
    "wipe_contents",
]
