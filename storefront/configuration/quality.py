"""How service quality is measured, and for how long a service counts as new."""

from dataclasses import dataclass

from storefront.configuration.environment import Environment


@dataclass(frozen=True)
class Quality:
    """Orders of so many `days` are measured, if at least so many; a service is new for `new_days`, 0: never."""

    days: int
    least_orders: int
    new_days: int


def terms(env: Environment) -> Quality:
    """Read the terms from the environment."""
    return Quality(
        days=env.number("QUALITY_DAYS", 30, minimum=1),
        least_orders=env.number("QUALITY_MIN_ORDERS", 10, minimum=1),
        new_days=env.number("NEW_SERVICE_DAYS", 14, minimum=0),
    )
