"""What customers may ask of the shop about themselves: a file with everything, and the end of their account."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storefront.configuration.environment import Environment


@dataclass(frozen=True)
class Privacy:
    """Where exports lie and how long, and how long a deletion can be undone."""

    export_dir: Path
    exports_kept: timedelta
    deletion_delay: timedelta


def privacy(env: Environment, base_dir: Path) -> Privacy:
    """Read the settings from the environment.

    Whoever had the address changed by a thief has three days to undo that: an account never goes sooner.
    """
    return Privacy(
        export_dir=env.folder("DATA_EXPORT_DIR", base_dir / "var/exports"),
        exports_kept=timedelta(days=env.number("DATA_EXPORT_KEEP_DAYS", 7, minimum=1)),
        deletion_delay=timedelta(days=env.number("ACCOUNT_DELETION_DAYS", 14, minimum=4)),
    )
