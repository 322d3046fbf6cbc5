"""What goes in and out of each action, as JSON Schema: the parameters' values, and the answers."""

from typing import Any

from api.actions.sms import WORDS as NUMBER_WORDS
from api.test_mode.scenarios import LINK_WORDS

Schema = dict[str, Any]

MONEY: Schema = {"type": "string", "pattern": r"^-?\d+\.\d{2,6}$", "examples": ["5.00"]}
PRICE: Schema = {"type": "string", "pattern": r"^\d+\.\d{4,6}$", "examples": ["0.5000"]}
CURRENCY: Schema = {"type": "string", "pattern": "^[A-Z]{3}$"}
ID: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
ERROR: Schema = {"$ref": "#/components/schemas/Error"}
ORDER_WORDS = ["Pending", "In progress", "Completed", "Partial", "Canceled"]
REFILL_WORDS = ["Pending", "Completed", "Rejected"]


def record(fields: dict[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def array(inside: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": inside}


def either(*schemas: Schema) -> Schema:
    """Return the schema of whatever fits one of these."""
    return {"anyOf": list(schemas)}


ERROR_OBJECT = record({"error": {**TEXT, "examples": ["Order not found"]}})

_STATUS = record(
    {
        "status": {"enum": ORDER_WORDS},
        "charge": MONEY,
        "start_count": {"type": "integer"},
        "remains": COUNT,
        "currency": CURRENCY,
        "accounts": array(TEXT),
    },
    optional=("accounts",),
)
_MINUTES: Schema = {"type": ["integer", "null"], "minimum": 1}
_PERCENT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
_QUALITY = record(
    {
        "days": {**COUNT, "description": "Over how many days it was measured"},
        "orders": {**COUNT, "description": "How many orders ended in these days"},
        "completed_percent": _PERCENT,
        "partial_percent": _PERCENT,
        "refunded_percent": _PERCENT,
        "start_minutes": {**_MINUTES, "description": "From payment to the start: half of the orders took no longer"},
        "start_minutes_p90": {**_MINUTES, "description": "The same for nine in ten"},
        "done_minutes": {**_MINUTES, "description": "From payment to the end: half of the orders took no longer"},
        "done_minutes_p90": {**_MINUTES, "description": "The same for nine in ten"},
    }
)
_SERVICE = record(
    {
        "service": ID,
        "name": TEXT,
        "type": TEXT,
        "category": TEXT,
        "rate": MONEY,
        "min": COUNT,
        "max": COUNT,
        "refill": FLAG,
        "cancel": FLAG,
        "stock": COUNT,
        "average_time": {**ID, "description": "Minutes an order usually takes: done_minutes of quality"},
        "quality": _QUALITY,
    },
    optional=("average_time", "quality"),
)
_NUMBER = record({"order": ID, "phone": TEXT, "country": TEXT, "status": {"enum": sorted(set(NUMBER_WORDS.values()))}})
_ID_OR_TEXT = either({"type": "integer"}, TEXT)

ANSWERS: dict[str, Schema] = {
    "categories": record({"categories": array(record({"category": TEXT, "subcategories": array(TEXT)}))}),
    "services": record(
        {"services": array(_SERVICE), "total": COUNT, "page": COUNT, "limit": COUNT, "total_pages": COUNT}
    ),
    "inventory": record({"service": ID, "stock": COUNT, "available": FLAG}),
    "add": record({"order": ID}),
    "status": either(_STATUS, {"type": "object", "additionalProperties": either(_STATUS, ERROR)}),
    "refill": either(
        record({"refill": ID}),
        array(record({"order": _ID_OR_TEXT, "refill": either(ID, ERROR)})),
    ),
    "refill_status": either(
        record({"status": {"enum": REFILL_WORDS}}),
        array(record({"refill": _ID_OR_TEXT, "status": either({"enum": REFILL_WORDS}, ERROR)})),
    ),
    "cancel": array(record({"order": _ID_OR_TEXT, "cancel": either({"const": 1}, ERROR)})),
    "balance": record({"balance": MONEY, "currency": CURRENCY}),
    "sms_projects": array(
        record({"project_id": TEXT, "name": TEXT, "price": PRICE, "country_id": TEXT, "country_title": TEXT})
    ),
    "sms_countries": array(record({"country_code": TEXT, "country_name": TEXT})),
    "add_sms": record({"orders": {**array(_NUMBER), "minItems": 1, "maxItems": 10}}),
    "sms_code": either(
        record({"status": {"const": "completed"}, "code": TEXT, "sms_content": TEXT}),
        record({"status": TEXT, "message": TEXT}),
    ),
    "sms_status": record(
        {
            "status": {"enum": sorted(set(NUMBER_WORDS.values()))},
            "phone": TEXT,
            "code": {"type": ["string", "null"]},
            "charge": PRICE,
            "currency": CURRENCY,
            "expires_at": {"type": "string", "format": "date-time"},
            "sms_content": TEXT,
        },
        optional=("sms_content",),
    ),
}

_IDS: Schema = {**TEXT, "pattern": r"^\d+(,\d+){0,99}$"}
# The values of parameters; a form carries all of them as text, which is read the same way.
PARAMETERS: dict[str, Schema] = {
    "page": {"type": "integer", "minimum": 1, "default": 1},
    "limit": {"type": "integer", "minimum": 0, "default": 0},
    "category": TEXT,
    "subcategory": TEXT,
    "service": ID,
    "link": {**TEXT, "maxLength": 2000, "description": f"A test key reads these words in it: {', '.join(LINK_WORDS)}."},
    "quantity": ID,
    "comments": TEXT,
    "runs": {"type": "integer", "minimum": 0, "maximum": 1, "default": 1},
    "interval": {"type": "integer", "minimum": 0},
    "request_id": {**TEXT, "maxLength": 64},
    "order": ID,
    "orders": _IDS,
    "refill": ID,
    "refills": _IDS,
    "lang": {**TEXT, "maxLength": 20, "examples": ["ru"]},
    "country": {**TEXT, "maxLength": 20},
    "project_id": TEXT,
    "phone": {**TEXT, "maxLength": 40},
}
