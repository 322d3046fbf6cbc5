"""What goes wrong while customers order: calls that fail in every way there is, and processes that are killed."""

import random
import time
from collections.abc import Callable
from typing import Any

from bench.load_test.stage import Stage

Fault = tuple[str, float, dict[str, Any]]  # name, share of the calls, options

# A purchase may be carried out even if it is not answered; `slow` beyond the time-out stays below the settling time.
OF_PURCHASES: list[Fault] = [
    ("lose_reply", 0.03, {}),
    ("lose_reply", 0.01, {"reset": True}),
    ("lose_request", 0.03, {}),
    ("500_before", 0.02, {}),
    ("500_after", 0.02, {}),
    ("500_after", 0.005, {"text": "Internal server error"}),
    ("garbage", 0.02, {}),
    ("half_body", 0.02, {}),
    ("slow", 0.02, {"seconds": 3}),
    ("slow", 0.04, {"seconds": 0.7}),
    ("429", 0.05, {}),
    ("refuse", 0.02, {"text": "Invalid link"}),
    ("refuse", 0.005, {"text": "Insufficient balance"}),
    ("refuse", 0.003, {"text": "Invalid API key"}),
    ("refuse", 0.005, {"text": "We are closed, come back tomorrow"}),
    ("refuse_connections", 0.01, {"seconds": 1}),
]
OF_READS: list[Fault] = [
    ("lose_reply", 0.02, {}),
    ("lose_request", 0.02, {"reset": True}),
    ("500_before", 0.02, {}),
    ("500_after", 0.01, {"text": "Internal server error"}),
    ("garbage", 0.02, {}),
    ("half_body", 0.02, {}),
    ("slow", 0.02, {"seconds": 1}),
    ("429", 0.02, {}),
    ("refuse", 0.01, {}),
    ("refuse_connections", 0.003, {"seconds": 1}),
]
PURCHASES = ("add", "add_sms")
STRUCK_WITHIN_SECONDS = 60.0
READS = ("status", "sms_status", "sms_code", "balance")
# What a hostile supplier damages: the answers to these calls, as the faults do. With catalogs that differ at every sync
# nobody could say what a lost number has cost, and its rivals would wait for that for ever.
DAMAGED_FIELDS = (
    *("order", "orders", "error", "status", "charge", "currency", "balance", "remains", "start_count", "accounts"),
    *("phone", "country", "code", "sms_content", "message", "expires_at"),
)


def every_fault() -> list[Fault]:
    """Return all faults, for all the calls the shop makes once its catalog is there."""
    faults = [(name, rate, {"action": action, **more}) for action in PURCHASES for name, rate, more in OF_PURCHASES]
    return faults + [(name, rate, {"action": action, **more}) for action in READS for name, rate, more in OF_READS]


def inject(stage: Stage, *, seconds: float, seed: int, log: Callable[[str], None]) -> None:
    """Let faults strike and kill a process every two seconds or so: each at least once, then whichever the dice say.

    Returns with everything alive again and all faults gone, once every fault has struck: on a slow machine few calls
    are made in a short test.
    """
    dice = random.Random(f"faults:{seed}")
    victims = stage.killable
    dice.shuffle(victims)
    faults = every_fault()
    stage.set_faults(faults)
    ends_at = time.monotonic() + seconds
    while victims or time.monotonic() < ends_at:
        time.sleep(dice.uniform(1.0, 2.5))
        stage.start_what_ended()
        victim = victims.pop() if victims else dice.choice(stage.killable)
        log(f"killing {victim}")
        revive = stage.kill(victim)
        time.sleep(dice.uniform(0.1, 1.5))
        revive()
    patience_ends_at = time.monotonic() + STRUCK_WITHIN_SECONDS
    while missing := {name for name, _rate, _options in faults} - stage.faults().keys():
        if time.monotonic() > patience_ends_at:
            break
        log(f"waiting for {', '.join(sorted(missing))}")
        time.sleep(1)
    stage.set_faults([])
