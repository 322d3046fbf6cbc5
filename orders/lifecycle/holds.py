"""What an order looks like that is not held back any more; whoever moves a paid order on writes this with it."""

from typing import Any

NOT_HELD: dict[str, Any] = {"held_because": "", "held_details": {}, "held_until": None}
